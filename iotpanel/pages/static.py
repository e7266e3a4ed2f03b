"""Static files under names that hold their hash, so that browsers keep them for ever, imports of ES modules included."""

from typing import Any

import brotli
from django.contrib.staticfiles.storage import ManifestFilesMixin
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class QuickCompressor(Compressor):
    """Brotli's best level takes over a minute for all our files; this one takes seconds and costs a tenth in size."""

    SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

    @staticmethod
    def compress_brotli(data: bytes) -> bytes:
        compressed: bytes = brotli.compress(data, quality=5)
        return compressed


_MODULES: tuple[str, Any] = getattr(ManifestFilesMixin, "_js_module_import_aggregation_patterns")  # noqa: B009 - the types lack it


class HashedStorage(CompressedManifestStaticFilesStorage):
    """A file that was not collected is linked by its plain name: one missing picture is no reason for a page to fail."""

    support_js_module_import_aggregation = True
    # Style sheets name other files, and modules of ours import each other. To look through the scripts of others, which are
    # one line of a megabyte and import nothing, took half of the time that collecting takes.
    patterns = tuple(each for each in ManifestFilesMixin.patterns if each[0] == "*.css")
    _js_module_import_aggregation_patterns = ("iotpanel/js/*.js", _MODULES[1])
    max_post_process_passes = 20  # a module's name depends on those of the modules it imports: one pass for each level
    manifest_strict = False

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return QuickCompressor(**kwargs)

    def hashed_name(self, name: str, content: Any = None, filename: str | None = None) -> str:
        try:
            return super().hashed_name(name, content, filename)
        except ValueError:
            return name
