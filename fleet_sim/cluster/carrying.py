"""What a shard's cameras carry: the versions they code by, and what their controllers may go by."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fleet_sim.cluster.bank import Bank, BankPart, with_version
from fleet_sim.cluster.calibration import Calibration, Curves
from fleet_sim.cluster.host import MemberLost
from fleet_sim.cluster.live import Coded, LiveCameras
from fleet_sim.cluster.point import Point
from fleet_sim.cluster.resident import Resident
from fleet_sim.cluster.sends import LATENTS, Sends
from fleet_sim.control.allocation import EQUAL
from fleet_sim.control.hull import NO_HULLS, Hulls, hulls_of
from fleet_sim.engine.cameras import Cameras, Messages, expected_wire_bits
from fleet_sim.network.uplink import Uplinks

if TYPE_CHECKING:
    from fleet_sim.codec.confidence import Confidence

NO_ESTIMATES = np.zeros((0, 0, 0), np.int16)


class Carrying(Resident):
    """Versions of encoders, by what cameras send; each with its bank or with what codes it live."""

    def reset(self) -> None:
        """No versions."""
        self._payload_bits: dict[Sends, list[np.ndarray]] = {}
        self._calibrations: dict[Sends, list[Calibration | None]] = {}
        self._curves: dict[Sends, list[Curves]] = {}
        self._estimates: dict[Sends, list[np.ndarray]] = {}
        self._banks: dict[Sends, Bank] = {}
        self._live: dict[Sends, LiveCameras] = {}

    def add_version(
        self,
        mean_payload_bits_L: np.ndarray,
        part: BankPart | None,
        calibration: Calibration | None = None,
        estimate_HFL: np.ndarray | None = None,
        curves: Curves | None = None,
        sends: Sends = LATENTS,
    ) -> None:
        """Take up an encoder version: what controllers may expect, and its bank unless the run is live."""
        self._payload_bits.setdefault(sends, []).append(mean_payload_bits_L)
        self._calibrations.setdefault(sends, []).append(calibration)
        if curves is not None:
            self._curves.setdefault(sends, []).append(curves)
        if estimate_HFL is not None:
            self._estimates.setdefault(sends, []).append(estimate_HFL)
        if part is not None:
            self._banks[sends] = with_version(self._banks.get(sends), part)

    def add_live(self, spec: Any, images_FHWC: np.ndarray, sends: Sends, encoder: Any, *heads: Any) -> None:
        """Take up a frozen encoder and its heads, to run for every frame what cameras that send this run."""
        if sends not in self._live:
            self._live[sends] = LiveCameras(spec, images_FHWC, sends)
        self._live[sends].add(encoder, heads)

    def _from_bank(self, point: Point) -> Messages:
        """What any camera may send at this point, as the bank says."""
        bank = self._banks.get(point.sends)
        if bank is None:
            raise MemberLost("no bank is here")
        expected_bits_VL, right_VFL = self._expected_bits(point), NO_ESTIMATES
        if point.estimates and point.sends in self._estimates:
            right_VFL = np.stack([estimate_HFL[point.head] for estimate_HFL in self._estimates[point.sends]])
        right_VL, nothing = self._right(point, expected_bits_VL), np.zeros(0, np.int64)
        hulls = self._hulls(point)
        return Messages(bank.sizes_VFL2, expected_bits_VL, right_VL, right_VFL, nothing, nothing, hulls)

    def _coded_live(
        self,
        point: Point,
        cameras: Cameras,
        u: Uplinks,
        version_from_us_V: np.ndarray,
        until_us: int,
        coded: Coded,
    ) -> Messages:
        """The frames that become ready before `until_us`, coded now; their bytes go into `coded`."""
        if point.sends not in self._live:
            raise MemberLost("no encoder is here")
        expected_bits_VL = self._expected_bits(point)
        messages = self._live[point.sends].encode(
            cameras,
            u,
            point.fleet,
            expected_bits_VL,
            self._right(point, expected_bits_VL),
            self._confidences(point),
            version_from_us_V,
            until_us,
            coded,
        )
        return messages._replace(hulls=self._hulls(point))

    def _expected_bits(self, point: Point) -> np.ndarray:
        """(V, L) bits on the wire that controllers expect a frame to take."""
        return expected_wire_bits(point.fleet, np.stack(self._payload_bits[point.sends]))

    def _hulls(self, point: Point) -> Hulls:
        """Of what groups may gain by their bits, where base stations allocate by it."""
        if point.fleet.allocation.kind == EQUAL:
            return NO_HULLS
        curves = self._curves.get(point.sends)
        if curves is None:
            raise MemberLost("no curves are here")
        payload_bits_VGL = np.rint([of_version.payload_bits_GL for of_version in curves]).astype(np.int64)
        right_VGL = np.stack([of_version.right_GHL[:, point.head] for of_version in curves])
        return hulls_of(expected_wire_bits(point.fleet, payload_bits_VGL), right_VGL)

    def _confidences(self, point: Point) -> list["Confidence"]:
        """Of each version, where cameras estimate."""
        if not point.estimates:
            return []
        calibrations = self._calibrations[point.sends]
        return [c.confidence_H[point.head] for c in calibrations if c is not None and c.confidence_H]

    def _right(self, point: Point, expected_bits_VL: np.ndarray) -> np.ndarray:
        """(V, L) shares of right answers as calibrated; zeros without."""
        right_VL = np.zeros(expected_bits_VL.shape)
        for version, calibration in enumerate(self._calibrations[point.sends]):
            if calibration is not None:
                right_VL[version] = calibration.right_HL[point.head]
        return right_VL
