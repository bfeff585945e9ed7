#!/bin/sh
# Chromium for the tests of pages: Debian's and Ubuntu's package, as root or with a sudo that asks
# for no password. Where that cannot be, it says so and the tests are skipped; it never fails.

for name in chromium chromium-browser google-chrome google-chrome-stable; do
	if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ -n "$GROKVIZ_BROWSER" ]; then exit 0; fi

skip() {
	echo "*** The tests of pages will be SKIPPED: $1" >&2
	echo "*** Install Chromium, or set GROKVIZ_BROWSER to a Chromium or Chrome, and run again." >&2
	exit 0
}

command -v apt-get >/dev/null 2>&1 || skip "no Chromium is here, and no apt-get to install it with."
if [ "$(id -u)" = 0 ]; then
	root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	root="sudo -n"
else
	skip "no Chromium is here, and installing it needs root."
fi
echo "installing Chromium for the tests of pages"
$root env DEBIAN_FRONTEND=noninteractive apt-get update -qq || skip "apt-get update failed."
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium \
	>/dev/null || skip "apt-get could not install chromium."
# Ubuntu's package of that name is only a door to a snap, which may not open here
chromium --version >/dev/null 2>&1 || skip "the chromium that apt-get installed does not start."
