"""What an encoder and a head must agree on, and its short names.

A head trained on one encoder's latents reads another's as noise without noticing. So every version carries
the hash of its contract, every message one byte of it, and a head answers only messages of its own.
"""

from fleet_sim.basics.hashing import canonical_json, sha256_hex
from fleet_sim.codec.spec import CodecSpec
from fleet_sim.codec.tables import Tables

Contract = dict[str, int | str | list[int]]


def contract(spec: CodecSpec, tables: Tables) -> Contract:
    """The contract of a version; raises ValueError where its tables are not of its `codec:` settings."""
    ladder = tables.ladder_L.tolist()
    if tables.neurons != spec.neurons or ladder != list(spec.ladder):
        raise ValueError(
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


def contract_id(hash_hex: str) -> int:
    """The byte of a contract hash that travels in every message."""
    return int(hash_hex[:2], 16)
