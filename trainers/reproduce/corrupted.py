"""Trainings on spoilt labels: which shares of them, and which seeds at each."""

from collections.abc import Sequence

from trainers.reproduce.store import Subject

SHARES = {"cifar10": (0.0, 0.1, 0.2, 0.3), "cifar100": (0.0, 0.05, 0.1)}
"""The paper's."""


def by_share(subjects: Sequence[Subject]) -> dict[float, list[Subject]]:
    """For each share the subjects with so much of their labels redrawn.

    All seeds where the claims are tested, at 0 and at 20 % (CIFAR-100: 10 %); elsewhere the first alone.
    """
    shares = SHARES[subjects[0].scenario.data.source]
    tested = (0.0, 0.2 if 0.2 in shares else shares[-1])
    return {
        share: [_spoilt(subject, share) for subject in (subjects if share in tested else subjects[:1])]
        for share in shares
    }


def _spoilt(subject: Subject, share: float) -> Subject:
    data = subject.scenario.data.model_copy(update={"corruption": share})
    return Subject(subject.scenario.model_copy(update={"data": data}), subject.images)
