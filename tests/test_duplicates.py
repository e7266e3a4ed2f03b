"""No block of the product's code stands twice; and the rule sees one that does."""

from tests.duplicates import LINES, of_the_product, repeated

BLOCK = [f"total_{number} = add(first, second)" for number in range(LINES)]
LEAD, TAIL = "begin = here()\n", "ending = there()\n"


def written(lines: list[str], indent: str = "") -> str:
    return LEAD + "".join(f"{indent}{line}\n" for line in lines) + TAIL


def test_no_block_of_the_product_stands_twice() -> None:
    assert of_the_product() == []


def test_a_block_that_stands_twice_is_named_with_both_places() -> None:
    texts = {"a.py": "other = 1\n" + written(BLOCK), "b.py": written(BLOCK)}

    assert list(repeated(texts)) == ["a.py:2 = b.py:1"]


def test_within_one_file_too() -> None:
    assert list(repeated({"a.py": written(BLOCK) + written(BLOCK)})) == [f"a.py:1 = a.py:{LINES + 3}"]


def test_indentation_blank_lines_and_comments_hide_nothing() -> None:
    disguised = [part for line in BLOCK for part in ("# why", "", line.replace(" = ", "  =  "))]

    assert len(list(repeated({"a.py": written(BLOCK), "b.py": written(disguised, "    ")}))) == 1


def test_other_names_a_shorter_run_and_imports_are_no_duplicate() -> None:
    others = [line.replace("first", "third") for line in BLOCK]
    imports = "".join(f"from somewhere import thing_{number}\n" for number in range(2 * LINES))
    texts = {"a.py": imports + "\n".join(BLOCK), "b.py": imports + "\n".join(others), "c.py": "\n".join(BLOCK[1:])}

    assert list(repeated(texts)) == []
