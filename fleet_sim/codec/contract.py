"""What an encoder and a head must agree on, and its short names.

A head trained on one encoder's latents reads another's as noise without noticing. So every version carries
the hash of its contract, every message 24 bits of it, and a head answers only messages of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fleet_sim.basics.errors import UserError
from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables

Contract = dict[str, int | str | list[int]]


def contract(spec: CodecSpec, tables: Tables) -> Contract:
    """The contract of a version; raises UserError where its tables are not of its `codec:` settings."""
    ladder = tables.ladder_L.tolist()
    if tables.neurons != spec.neurons or ladder != list(spec.ladder):
        raise UserError(
            f"tables of {tables.neurons} neurons with ladder {ladder} are not those of a codec of "
            f"{spec.neurons} neurons with ladder {list(spec.ladder)}"
        )
    return {
        "neurons": spec.neurons,
        "quantiser": "nearest integer, half to even",
        "wavelet": spec.wavelet,
        "wavelet_levels": spec.wavelet_levels,
        "ladder": ladder,
        "tables": tables.digest(),
        "ranking": sha256_hex(canonical_json(tables.ranking_N.tolist())),
    }


def contract_hash(agreed: Contract) -> str:
    """SHA-256 (hex) of a contract."""
    return sha256_hex(canonical_json(agreed))


def serves(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Hashes of the contracts that a version's manifest says it serves: `serves`, or else its own alone."""
    stated: Sequence[str] = manifest.get("serves", (manifest["contract_hash"],))
    return tuple(stated)


def check_contract(what: str, manifest: Mapping[str, Any], ours: str) -> None:
    """Raise UserError where `what` does not state that it serves the contract of hash `ours`."""
    theirs = serves(manifest)
    if ours not in theirs:
        made_for = ", ".join(contract_of[:16] for contract_of in theirs)
        raise UserError(
            f"{what} is made for contract {made_for}, but the encoder's tables and codec settings make "
            f"{ours[:16]}: a server would read noise; take encoder and heads from one release"
        )


def contract_id(hash_hex: str) -> int:
    """The 24 bits of a contract hash that every message carries: 8 openly, 16 within its check."""
    return int(hash_hex[:6], 16)
