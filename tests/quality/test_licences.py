"""What may be mixed, by the plain terms of the licences."""

from typing import Any

import pytest

from quality.licences import LicencesOptions, Terms, check_licences, combine, terms_of
from schemas.errors import UserError
from schemas.recipe import Recipe
from schemas.spec import DatasetSpec


def recipe(**changes: Any) -> Recipe:
    return Recipe.model_validate({"name": "r", "version": "1", "datasets": [{"spec": "a.yaml"}]} | changes)


@pytest.fixture
def mix(spec: DatasetSpec) -> Any:
    def of(*licences: str, access: str = "open") -> list[DatasetSpec]:
        return [
            spec.model_copy(update={"name": f"d{i}", "license": one, "access": access})
            for i, one in enumerate(licences)
        ]

    return of


def test_terms_of_creative_commons_are_read_from_the_id() -> None:
    assert terms_of("CC-BY-4.0") == Terms()
    assert terms_of("CC-BY-NC-4.0") == Terms(commercial=False)
    assert terms_of("CC-BY-NC-SA-3.0") == Terms(commercial=False, share_alike="CC-BY-NC-SA")
    assert terms_of("CC-BY-SA-4.0") == Terms(share_alike="CC-BY-SA")
    assert terms_of("CC-BY-NC-ND-4.0") == Terms(commercial=False, derivatives=False)
    assert terms_of("CC0-1.0") == Terms(attribution=False)
    assert terms_of("LicenseRef-ask") is None


@pytest.mark.parametrize(
    ("licences", "license", "commercial"),
    [
        (["MIT", "CC0-1.0"], "CC0-1.0 AND MIT", True),
        (["MIT", "CC-BY-SA-4.0"], "CC-BY-SA-4.0", True),
        (["CC-BY-SA-3.0", "CC-BY-SA-4.0"], "CC-BY-SA-4.0", True),
        (["CC-BY-4.0", "CC-BY-NC-4.0"], "CC-BY-4.0 AND CC-BY-NC-4.0", False),
        (["CC-BY-NC-4.0", "CC-BY-NC-SA-4.0"], "CC-BY-NC-SA-4.0", False),
    ],
)
def test_what_a_mixture_comes_to(mix: Any, licences: list[str], license: str, commercial: bool) -> None:
    terms = check_licences(recipe(), mix(*licences))
    assert (terms.license, terms.commercial, terms.access) == (license, commercial, "open")


@pytest.mark.parametrize(
    ("licences", "options", "words"),
    [
        (["CC-BY-ND-4.0"], {}, "d0: CC-BY-ND-4.0 allows no derivatives"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], {}, "CC-BY-NC-4.0 of d1 may not be released so"),
        (["CC-BY-SA-4.0", "CC-BY-NC-SA-4.0"], {}, "make two releases"),
        (["ODbL-1.0", "CC-BY-SA-4.0"], {}, "make two releases"),
        (["CC-BY-NC-4.0"], {"commercial": True}, "forbids commercial use"),
        (["CC-BY-SA-4.0"], {"release_as": "CC-BY-4.0"}, "may not be released as CC-BY-4.0"),
        (["CC-BY-NC-4.0"], {"release_as": "CC-BY-4.0"}, "may not be released as CC-BY-4.0"),
        (["MIT"], {"release_as": "house"}, "terms of house"),
        (["LicenseRef-ask"], {}, "state them in gates.licences.terms"),
        (["CC-BY-40"], {}, "did you mean 'CC-BY-4.0'"),
    ],
)
def test_what_may_not_be_mixed_is_refused(mix: Any, licences: list[str], options: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_licences(recipe(gates={"licences": options}), mix(*licences))


def test_stated_terms_a_waiver_and_switching_off_let_it_go(mix: Any) -> None:
    own = {"licences": {"terms": {"LicenseRef-ask": {"commercial": False}}}}
    assert not check_licences(recipe(gates=own), mix("LicenseRef-ask")).commercial
    waived = recipe(waivers=[{"gate": "licences", "dataset": "d0", "reason": "the author allowed it in writing"}])
    check_licences(waived, mix("CC-BY-ND-4.0"))
    with pytest.raises(UserError):
        check_licences(waived, mix("MIT", "CC-BY-ND-4.0"))
    check_licences(recipe(gates={"licences": {"enabled": False}}), mix("CC-BY-ND-4.0"))


def test_access_is_the_strictest_and_may_be_limited(mix: Any) -> None:
    both = [*mix("MIT"), *mix("MIT", access="credentialed")]
    assert check_licences(recipe(), both).access == "credentialed"
    with pytest.raises(UserError, match="credentialed, but the release is to be open"):
        check_licences(recipe(gates={"licences": {"access": "open"}}), both)


def test_restricted_sources_hand_nothing_on_and_so_bind_nobody(mix: Any) -> None:
    check_licences(recipe(), [*mix("CC-BY-SA-4.0"), *mix("CC-BY-NC-ND-4.0", access="restricted")])


def test_who_must_be_named(mix: Any) -> None:
    assert combine(LicencesOptions(), mix("CC0-1.0", "MIT")).attribution == ("d1",)


LICENCES = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0")
MAY_BE_MIXED = {
    # The upper triangle of the table by Creative Commons ("Can I combine material under different licenses?"),
    # adaptations in mind: y where some licence takes both, n where none does.
    "CC0-1.0":         "y y y y y n",
    "CC-BY-4.0":       "y y y y y n",
    "CC-BY-SA-4.0":    "y y y n n n",
    "CC-BY-NC-4.0":    "y y n y y n",
    "CC-BY-NC-SA-4.0": "y y n y y n",
    "CC-BY-ND-4.0":    "n n n n n n",
}  # fmt: skip


@pytest.mark.parametrize("one", LICENCES)
@pytest.mark.parametrize("other", LICENCES)
def test_pairs_mix_as_creative_commons_says(mix: Any, one: str, other: str) -> None:
    if MAY_BE_MIXED[one].split()[LICENCES.index(other)] == "y":
        check_licences(recipe(), mix(one, other))
    else:
        with pytest.raises(UserError):
            check_licences(recipe(), mix(one, other))


@pytest.mark.parametrize("access", ["open", "credentialed", "restricted"])
@pytest.mark.parametrize("asked", ["open", "credentialed", "restricted"])
def test_access_only_narrows(mix: Any, access: str, asked: str) -> None:
    wanted = recipe(gates={"licences": {"access": asked}})
    # Rows of a restricted source carry neither pixels nor text, so they may go anywhere.
    if (access, asked) == ("credentialed", "open"):
        with pytest.raises(UserError, match=f"its access is {access}"):
            check_licences(wanted, mix("MIT", access=access))
    else:
        assert check_licences(wanted, mix("MIT", access=access)).access == access
