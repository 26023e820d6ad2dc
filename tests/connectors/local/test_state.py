"""What a stack remembers of itself."""

from connectors.local import state


def test_a_cluster_id_is_22_characters_and_never_looks_like_an_option():
    ids = [state.new(1, registry=False).cluster_id for _ in range(1000)]
    assert {len(each) for each in ids} == {22}
    assert not [each for each in ids if each.startswith("-")]
    assert len(set(ids)) == 1000
