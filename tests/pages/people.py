"""Browsers of people: clients that are signed in, and what they see."""

from html import unescape
from re import findall, sub

from django.test import Client

from iotpanel.tenants.models import User


def browser(user: User | None = None) -> Client:
    """A client signed in as this person, without asking for the password."""
    client = Client()
    if user is not None:
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(html: bytes) -> str:
    """The text of a page on one line, without its scripts."""
    text = sub(r"(?s)<script.*?</script>|<style.*?</style>", " ", html.decode())
    return sub(r"\s+", " ", unescape(sub(r"<[^>]+>", " ", text)))


def links(html: bytes) -> set[str]:
    """Where the page's links lead."""
    return {unescape(link) for link in findall(r'href="([^"]*)"', html.decode())}
