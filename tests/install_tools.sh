#!/bin/sh
# Installs the real Jekyll, a real browser and a clock to set for the tests that use them, where that is allowed.
# Elsewhere it says in one line what is missing; pytest then names the tests that it leaves out.
missing=""
command -v jekyll >/dev/null || missing="$missing jekyll"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="$missing chromium"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
command -v crontab >/dev/null || missing="$missing cron"
[ -e /usr/share/i18n/charmaps/ISO-8859-1.gz ] || missing="$missing locales"
command -v faketime >/dev/null || missing="$missing faketime"
[ -z "$missing" ] && exit 0

as_root=""
[ "$(id -u)" = 0 ] || as_root="sudo -n"
if command -v apt-get >/dev/null && { [ -z "$as_root" ] || $as_root true 2>/dev/null; }; then
    echo "installing$missing"
    $as_root apt-get update -qq &&
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -qq -y --no-install-recommends $missing >/dev/null &&
        exit 0
fi
echo "missing and not installable here:$missing; the tests that need them are left out"
