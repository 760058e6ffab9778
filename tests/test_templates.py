from importlib import resources

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from attseg import templates
from attseg.templates import render_html, render_markdown


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Renders a text by one of the two functions."""

    def render(function, text, **values):
        (tmp_path / "template").write_text(text)
        return function("any", "template", **values)

    monkeypatch.setattr(templates.resources, "files", lambda package: tmp_path)
    return render


def test_values_in_html_are_escaped_and_markup_is_not(template):
    text = '<p title="{{ name }}">{{ mark }}</p>\n'
    made = template(render_html, text, name='"><script>', mark=Markup("<b>1</b>"))
    assert made == '<p title="&#34;&gt;&lt;script&gt;"><b>1</b></p>\n'


def test_values_in_markdown_are_text(template):
    made = template(render_markdown, "| {{ name }} | {{ mark }} |\n", name="a|b\n`c` <img>", mark=Markup("**d**"))
    assert made == "| a/b 'c' &lt;img&gt; | **d** |\n"


def test_a_value_that_is_missing_is_an_error(template):
    with pytest.raises(UndefinedError, match="name"):
        template(render_html, "{{ name }}")


def test_templates_are_files_of_the_package():
    for package, name in (("demo", "page.html"), ("explain.page", "static/page.html"), ("hub", "card.md")):
        assert (resources.files(f"attseg.{package}") / name).is_file()
