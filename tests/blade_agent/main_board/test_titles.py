from blade_agent.main_board.titles import Titles


def found(titles, search, after=""):
    return [name for name, matches in titles.after(after, search) if matches]


def known():
    titles = Titles()
    titles.replace([("river-1", "The River"), ("a-film-2", "Straße ohne Ende"), ("zebra-3", "ZEBRA crossing")])
    return titles


def test_all_are_found_in_the_order_of_their_names():
    assert found(known(), "") == ["a-film-2", "river-1", "zebra-3"]
    assert found(known(), "", after="a-film-2") == ["river-1", "zebra-3"]
    assert found(known(), "", after="zzz") == []


def test_every_word_is_looked_for_in_title_and_name_whatever_its_letters():
    assert found(known(), "zebra CROSS") == ["zebra-3"]
    assert found(known(), "STRASSE") == ["a-film-2"]
    assert found(known(), "film 2 ende") == ["a-film-2"]
    assert found(known(), "river zebra") == []


def test_what_comes_and_goes_while_somebody_looks_does_no_harm():
    titles = known()
    looking = titles.after("")
    assert next(looking)[0] == "a-film-2"
    titles.drop("a-film-2")
    titles.drop("river-1")
    titles.drop("river-1")
    titles.put("bee-4", "Bee")
    titles.put("bee-4", "Bee, corrected")
    assert [name for name, _ in looking] == ["bee-4", "zebra-3"]
    assert found(titles, "corrected") == ["bee-4"]
