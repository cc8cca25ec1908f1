"""Decides which of the files that PyInstaller collects are of use at run time; the specification asks it."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

UNUSED = re.compile(
    r"""
      torch/(?:test|include|share)/                # PyTorch's own tests, C++ headers and CMake files
    | torch/bin/(?!torch_shm_manager)              # its test programs; the manager serves shared memory
    | torch/lib/.*\.(?:a|lib)$                     # static libraries, for linking against
    | torch/lib/lib(?:aoti_custom_ops|backend_with_compiler|jitbackend_test|torchbind_test)\.
    | PySide6/(?:Qt/)?translations/
    | PySide6/(?:Qt/)?qml/
    | PySide6/(?:Qt/)?plugins/(?:designer|egldeviceintegrations|generic|networkinformation|printsupport|qmllint
                                |qmltooling|sqldrivers|tls|vectorimageformats)/
    | PySide6/(?:Qt/)?plugins/platforms/(?:lib)?q(?:eglfs|linuxfb|minimalegl|vkkhrdisplay|vnc)
    | PySide6/(?:Qt/)?plugins/imageformats/(?:lib)?q(?:pdf|icns|tga|tiff|wbmp|webp)
    | PySide6/(?:Qt/)?plugins/platforminputcontexts/(?:lib)?qtvirtualkeyboard
    | PySide6/(?:Qt/)?plugins/platformthemes/libqgtk3   # needs the GTK that is there, not the one built with
    | lib(?:gtk-3|gdk-3|gdk_pixbuf|atk-|atk-bridge|atspi|cairo-gobject|epoxy|pango)
    | (?:PySide6/(?:Qt/lib/)?)?(?:lib)?Qt6?(?:Designer|EglF|Help|Labs|Lottie|Pdf|Qml|Quick|Sql|VirtualKeyboard)
    """,
    re.VERBOSE,
)


def is_of_use(destination: str) -> bool:
    """Return whether a collected file belongs in the bundle.

    Parameters
    ----------
    destination
        Its path inside the bundle, with the separators of any system.
    """
    return UNUSED.match(PurePosixPath(destination.replace("\\", "/")).as_posix()) is None
