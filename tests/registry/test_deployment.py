"""What is in the field: no camera is ever left without a decoder."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from fleet_sim.registry import Registry, RegistryError
from fleet_sim.registry.deployment import deploy, deployed, withdraw
from fleet_sim.registry.keeping import rubbish


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def encoder(registry, contract, **more):
    return registry.publish("encoder", {"contract_hash": contract, **more}, {})


def head(registry, contract, **more):
    return registry.publish("head", {"contract_hash": contract, **more}, {})


def test_a_release_with_a_head_of_its_contract_is_deployed(registry):
    a, of_a = encoder(registry, "aa"), head(registry, "aa")
    deploy(registry, a, [of_a])
    assert deployed(registry) == ({a}, {of_a})
    deploy(registry, a, [of_a])
    assert deployed(registry) == ({a}, {of_a})


def test_a_release_whose_contract_no_head_serves_is_refused(registry):
    a, of_b = encoder(registry, "aa"), head(registry, "bb")
    with pytest.raises(RegistryError, match=r"leave encoder .* without a decoder: none of the 1 heads"):
        deploy(registry, a, [of_b])
    assert deployed(registry) == (frozenset(), frozenset())


def test_a_head_may_state_that_it_serves_several_contracts(registry):
    a, b, both = encoder(registry, "aa"), encoder(registry, "bb"), head(registry, "bb", serves=["aa", "bb"])
    deploy(registry, a, [both])
    deploy(registry, b, [])
    assert deployed(registry).encoders == {a, b}


def test_the_last_head_of_a_deployed_encoder_cannot_be_withdrawn(registry):
    a, b, of_a, of_b = (
        encoder(registry, "aa"),
        encoder(registry, "bb"),
        head(registry, "aa"),
        head(registry, "bb"),
    )
    deploy(registry, a, [of_a])
    deploy(registry, b, [of_b])
    with pytest.raises(RegistryError, match=f"leave encoder {a[:16]}"):
        withdraw(registry, [of_a])
    withdraw(registry, [a, of_a])
    assert deployed(registry) == ({b}, {of_b})
    with pytest.raises(RegistryError, match="is not in the field"):
        withdraw(registry, [a])


def test_what_the_registry_refuses_is_not_deployed(registry):
    a, of_a = encoder(registry, "aa"), head(registry, "aa")
    with pytest.raises(RegistryError, match="no version"):
        deploy(registry, "0" * 64, [of_a])
    with pytest.raises(RegistryError, match="is not the full id of a version of kind encoder"):
        deploy(registry, of_a, [of_a])
    (registry.root / of_a[:16] / "signature.ed25519").unlink()
    with pytest.raises(RegistryError, match="not signed"):
        deploy(registry, a, [of_a])
    assert not (registry.root / "deployed.json").exists()


def test_a_damaged_list_is_named(registry):
    deploy(registry, encoder(registry, "aa"), [head(registry, "aa")])
    (registry.root / "deployed.json").write_text("[]")
    with pytest.raises(RegistryError, match=r"deployed\.json is not a list"):
        deployed(registry)


def test_changes_at_once_all_count(registry):
    pairs = [(encoder(registry, f"{n:02}"), head(registry, f"{n:02}")) for n in range(12)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda pair: deploy(registry, pair[0], [pair[1]]), pairs))
    assert deployed(registry) == ({a for a, _ in pairs}, {h for _, h in pairs})


def test_rubbish_is_what_nothing_in_the_field_needs(registry):
    grandparent = encoder(registry, "cc")
    parent = encoder(registry, "bb", parent=grandparent)
    child, of_child = encoder(registry, "aa", parent=parent), head(registry, "aa", name="kept")
    lone = [encoder(registry, "dd"), head(registry, "aa", name="spare"), head(registry, "bb", encoder=parent)]
    with pytest.raises(RegistryError, match=r"nothing in .* is deployed"):
        rubbish(registry)
    deploy(registry, child, [of_child])
    assert set(rubbish(registry).versions) == set(lone)
    assert set(rubbish(registry, keep=[lone[0][:12]]).versions) == set(lone[1:])


def test_what_a_run_used_is_no_rubbish(registry):
    a, of_a, lone = encoder(registry, "aa"), head(registry, "aa"), head(registry, "bb")
    said = {"versions": {"encoders": [{"id": a, "heads": {"ce": of_a}}]}}
    (registry.root.parent / "summary.json").write_text(json.dumps(said))
    assert rubbish(registry).versions == (lone,)
