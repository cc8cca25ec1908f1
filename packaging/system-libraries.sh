#!/bin/sh
# Finds the system libraries that Qt misses on Linux, and installs them on Debian and Ubuntu where it may.
#
#   sh packaging/system-libraries.sh PYTHON
#
# PYTHON is the interpreter whose Qt is asked. Exit status 1 when Qt cannot be loaded and the cure was only printed;
# 0 otherwise, also when libraries are missing that only a window on a display needs.
set -eu

[ "$(uname -s)" = Linux ] && command -v ldd > /dev/null || exit 0
qt=$("$1" -c 'from importlib.util import find_spec; print(find_spec("PySide6").submodule_search_locations[0])')

missing() {
    ldd "$@" 2> /dev/null | awk '/not found/ { print $1 }' | sort -u
}

missing_everywhere() {
    missing "$qt"/Qt/lib/libQt6Core.so.6 "$qt"/Qt/lib/libQt6Gui.so.6 "$qt"/Qt/lib/libQt6Widgets.so.6 \
        "$qt"/Qt/lib/libQt6Svg.so.6 "$qt"/Qt/plugins/platforms/libqoffscreen.so
}

missing_on_a_display() {
    missing "$qt"/Qt/plugins/platforms/libqxcb.so "$qt"/Qt/plugins/platforms/libqwayland.so
}

# Qt's wheels hold no fonts; without any, all text is drawn as boxes.
missing_fonts() {
    find /usr/share/fonts /usr/local/share/fonts "${HOME:-/nonexistent}/.fonts" "${HOME:-/nonexistent}/.local/share/fonts" \
        \( -name '*.ttf' -o -name '*.otf' -o -name '*.ttc' \) 2> /dev/null | grep -q . || echo fonts
}

# The Debian and Ubuntu package of a library: mostly its name in lower case with the version joined on.
package_of() {
    case $1 in
        fonts) echo fonts-dejavu-core ;;
        libEGL.so.1) echo libegl1 ;;
        libGL.so.1) echo libgl1 ;;
        libGLX.so.0) echo libglx0 ;;
        libOpenGL.so.0) echo libopengl0 ;;
        libX11-xcb.so.1) echo libx11-xcb1 ;;
        libX11.so.6) echo libx11-6 ;;
        libdbus-1.so.3) echo libdbus-1-3 ;;
        libglib-2.0.so.0 | libgthread-2.0.so.0) echo libglib2.0-0 ;;
        libgssapi_krb5.so.2) echo libgssapi-krb5-2 ;;
        libwayland-*.so.*) echo "$1" | sed 's/\.so\.\([0-9]*\).*/\1/' ;;
        libxkbcommon-x11.so.0) echo libxkbcommon-x11-0 ;;
        libz.so.1) echo zlib1g ;;
        *) echo "$1" | tr 'A-Z_' 'a-z-' | sed 's/\.so\.\([0-9]*\).*/\1/' ;;
    esac
}

libraries=$( { missing_everywhere; missing_on_a_display; missing_fonts; } | sort -u)
[ -n "$libraries" ] || exit 0

if ! command -v apt-get > /dev/null; then
    echo "Qt misses these system libraries; install them with your system's package manager:" $libraries >&2
    [ -z "$(missing_everywhere)" ]
    exit
fi

packages=$(for library in $libraries; do package_of "$library"; done | sort -u | tr '\n' ' ')
if [ "$(id -u)" = 0 ]; then
    as_root=env
elif command -v sudo > /dev/null && sudo -n true 2> /dev/null; then
    as_root="sudo env"
else
    as_root=
fi

if [ -n "$as_root" ]; then
    echo "Installing the system libraries that Qt needs: $packages"
    quietly="$as_root DEBIAN_FRONTEND=noninteractive apt-get -qq"
    # The package lists of a fresh image are empty or old, so they are only fetched when the first try fails.
    if $quietly install -y --no-install-recommends $packages > /dev/null 2>&1 ||
        { $quietly update > /dev/null && $quietly install -y --no-install-recommends $packages > /dev/null; }; then
        exit 0
    fi
fi

echo "Qt needs system libraries that are not here. Install them with this line, then run make again:" >&2
echo "  sudo apt-get install -y $packages" >&2
[ -z "$(missing_everywhere)" ]
