"""How sure a camera may be of a message: a small linear classifier on its own latents, calibrated.

For each level, linear discriminant analysis of the kept values gives a most likely class and its posterior;
isotonic regression turns that into the share of such frames that the servers' head answers right. Fitted on
validation images; with posteriors of folds, so that they are not more sure than on images never seen. A
camera needs some classes times kept neurons multiplications a level.

Shapes: M images, N neurons in ranked order, k kept, K classes, L levels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.isotonic import IsotonicRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

SCALE = 10_000
FOLDS = 5


@dataclass(frozen=True)
class Confidence:
    """By level: coefficients (K, k), intercepts (K,), and the calibration's knots."""

    coef: tuple[NDArray[np.float64], ...]
    intercept: tuple[NDArray[np.float64], ...]
    posterior: tuple[NDArray[np.float64], ...]
    right: tuple[NDArray[np.float64], ...]

    @classmethod
    def fit(
        cls,
        latent_MN: NDArray[np.int32],
        labels_M: NDArray[np.int64],
        right_LM: NDArray[np.bool_],
        ladder: tuple[int, ...],
    ) -> "Confidence":
        """right_LM: whether the head that is to be judged was right of each image at each level."""
        parts = []
        folds = StratifiedKFold(min(FOLDS, int(np.unique(labels_M, return_counts=True)[1].min())))
        for kept, right_M in zip(ladder, right_LM, strict=True):
            kept_Mk = latent_MN[:, :kept].astype(np.float64)
            model = LinearDiscriminantAnalysis()
            posterior_M = cross_val_predict(model, kept_Mk, labels_M, cv=folds, method="predict_proba").max(1)
            knots = IsotonicRegression(y_min=0, y_max=1).fit(posterior_M, right_M.astype(np.float64))
            model.fit(kept_Mk, labels_M)
            coef_Kk, intercept_K = model.coef_, model.intercept_
            if len(coef_Kk) == 1:  # of two classes only the second has a score
                coef_Kk, intercept_K = (np.vstack([0 * a, a]) for a in (coef_Kk, intercept_K[:, None]))
                intercept_K = intercept_K[:, 0]
            parts.append((coef_Kk, intercept_K, knots.X_thresholds_, knots.y_thresholds_))
        return cls(*(tuple(part) for part in zip(*parts, strict=True)))

    def estimate(self, latent_MN: NDArray[np.int32]) -> NDArray[np.int16]:
        """(M, L) how likely each message is answered right, in ten-thousandths."""
        found_ML = np.empty((len(latent_MN), len(self.coef)), np.int16)
        for level, (coef_Kk, intercept_K) in enumerate(zip(self.coef, self.intercept, strict=True)):
            kept_Mk = latent_MN[:, : coef_Kk.shape[1]]
            # Row by row in one order: a product of matrices would round by how many rows there are.
            score_MK = np.stack([(kept_Mk * coef_k).sum(axis=1) for coef_k in coef_Kk], axis=1) + intercept_K
            odds_MK = np.exp(score_MK - score_MK.max(axis=1, keepdims=True))
            posterior_M = 1 / odds_MK.sum(axis=1)
            right_M = np.interp(posterior_M, self.posterior[level], self.right[level])
            found_ML[:, level] = np.rint(SCALE * right_M)
        return found_ML
