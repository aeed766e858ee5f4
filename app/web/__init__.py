"""The web room: what every page of the server shares. Feature packages hold their own pages and templates.

`render` makes a page, `texts_of` gives the reader's language, `static_app` and `SecurityHeaders` are wired by app.main.
"""

from app.platform.problem_kinds import N_
from app.web.assets import static_app, static_url
from app.web.headers import SecurityHeaders
from app.web.i18n import Texts
from app.web.pages import Pages, render, render_error, texts_of

__all__ = [
    "N_",
    "Pages",
    "SecurityHeaders",
    "Texts",
    "render",
    "render_error",
    "static_app",
    "static_url",
    "texts_of",
]
