"""The 1,797 handwritten digits that come with scikit-learn: images without a download."""

import numpy as np

from fleet_sim.data.dataset import Labelled
from fleet_sim.data.split import permutation

TEST_SHARE = 0.2


def digits() -> Labelled:
    """Digits as (N, 8, 8, 3), 80 % for training and 20 % for test, the same whatever the seed."""
    # Here and not above: it takes a second to import, which scenarios and other sources need not pay.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    grey_NHW = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    images_NHWC = np.repeat(grey_NHW[..., None], 3, axis=3)
    labels_N = bunch.target.astype(np.int64)
    order_N = permutation(len(labels_N), seed=0, purpose="digits test")
    test_N, train_N = np.split(order_N, [round(TEST_SHARE * len(order_N))])
    names = tuple(str(name) for name in bunch.target_names)
    return Labelled(
        "digits", images_NHWC[train_N], labels_N[train_N], images_NHWC[test_N], labels_N[test_N], names
    )
