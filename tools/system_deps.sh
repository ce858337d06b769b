#!/bin/sh
# What the tests of pages and of Apache's CAS client use beside Python packages, from Debian.
# Where it cannot be installed the tests are skipped, with the reason.
packages="chromium chromium-driver apache2 libapache2-mod-auth-cas fonts-noto-cjk"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "system-deps: not root on a Debian system; without$missing some tests are skipped" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# Apache is run by the tests alone: its service must not start here.
printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.acl && chmod +x /usr/sbin/policy-rc.d.acl
[ -e /usr/sbin/policy-rc.d ] || { mv /usr/sbin/policy-rc.d.acl /usr/sbin/policy-rc.d; ours=1; }
{ apt-get update -q && apt-get install -y -q --no-install-recommends $missing; } >/dev/null 2>&1 ||
    echo "system-deps: could not install$missing; some tests are skipped" >&2
rm -f /usr/sbin/policy-rc.d.acl
[ -z "${ours:-}" ] || rm -f /usr/sbin/policy-rc.d
exit 0
