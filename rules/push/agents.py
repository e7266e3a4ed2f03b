"""A browser's short name by its User-Agent, for people to tell theirs apart: `Firefox · Linux`."""

BROWSERS = (  # the first that is named counts: most name others too
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def short_name(agent: str) -> str:
    """Empty where nothing is known of it."""
    found = (next((name for mark, name in table if mark in agent), "") for table in (BROWSERS, SYSTEMS))
    return " · ".join(name for name in found if name)
