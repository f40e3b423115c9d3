"""What is served of a page's folder, and of what all pages share."""

from media_network.pages.page_files import page_files


def test_every_file_has_its_path_and_the_page_knows_this_start(tmp_path):
    (tmp_path / "index.html").write_text('<meta name="token" content="{{token}}"><p>{{other}}')
    (tmp_path / "main.js").write_text("{{token}}")
    (tmp_path / "notes.txt").write_text("nobody's concern")
    files = page_files(tmp_path, token='5eed"<')
    assert files["/"].body == b'<meta name="token" content="5eed&quot;&lt;"><p>{{other}}'
    assert files["/"].content_type == "text/html; charset=utf-8"
    assert files["/main.js"].body == b"{{token}}"
    assert {path for path in files if not path.startswith("/shared/")} == {"/", "/main.js"}


def test_the_shared_files_are_the_same_for_every_page(tmp_path):
    (tmp_path / "index.html").write_text("")
    files = page_files(tmp_path)
    assert files["/shared/element.js"].content_type == "text/javascript; charset=utf-8"
    assert files["/shared/colours.css"].content_type == "text/css; charset=utf-8"
    assert all(file.body for path, file in files.items() if path != "/")
