#!/bin/sh
# Installer of the IB Gateway simulator @VERSION@, in the manner of install4j's (guide 1.3, 1.4).
# A shell head, and behind it a tar.gz.

version=@VERSION@
major=@MAJOR@
head_bytes=$(expr @HEAD_BYTES@ + 0)
payload_bytes=@PAYLOAD_BYTES@
# Below the home directory; empty: the JRE stays in the installation (guide 1.6 knows both).
jre_place=@JRE_PLACE@

fail() {
    echo "$*" >&2
    exit 1
}

usage() {
    cat <<'END'
Usage: ibgateway-installer [options]
  -q         unattended, without a question
  -c         console mode
  -dir DIR   where to install (with -q)
  -overwrite replace files without asking
  -h         this help
END
}

# Reads one answer into $answer; the end of standard input cancels, as nobody can answer any more.
ask() {
    printf '%s\n' "$1"
    IFS= read -r answer || fail "Installation cancelled: no answer on standard input."
}

quiet=no
console=no
dir=
default_dir="${HOME:-/root}/Jts/ibgateway/$major"
while [ $# -gt 0 ]; do
    case $1 in
        -q) quiet=yes ;;
        -c) console=yes ;;
        -dir) [ $# -ge 2 ] || fail "-dir needs a directory"; dir=$2; shift ;;
        -overwrite | -V* | -D* | -J*) ;;
        -h | -help | --help) usage; exit 0 ;;
        *) fail "Unknown option: $1 (-h lists the options)" ;;
    esac
    shift
done

echo "Unpacking JRE ..."
echo "Starting Installer ..."
if [ "$quiet" = no ]; then
    if [ "$console" = no ] && [ -n "$DISPLAY" ]; then
        fail "The installer's window is not part of the simulator: use -q, -c, or an empty DISPLAY."
    fi
    echo "This will install IB Gateway $major on your computer."
    ask "Where should IB Gateway $major be installed?
[$default_dir]"
    dir=$answer
fi
[ -n "$dir" ] || dir=$default_dir

mkdir -p "$dir/jars" "$dir/.install4j" 2>/dev/null || fail "Cannot create the directory $dir"
dir=$(cd "$dir" && pwd) || exit 1
[ -w "$dir" ] || fail "The directory $dir is not writable"

echo "Extracting files ..."
# What another version left in this directory would stand on the class path beside the new one.
rm -f "$dir"/jars/*.jar "$dir"/jars/*.tmp
# A download that was cut short leaves jars/*.tmp behind, and so does an interruption (guide 1.3).
# The status of a pipe is tar's alone, which an archive cut at a member's end satisfies: hence also the size.
tail -c +"$((head_bytes + 1))" "$0" | gzip -dc | tar -xf - -C "$dir" --no-same-owner ||
    fail "The installer file is corrupt, or the disk is full. Installation aborted."
[ "$(wc -c <"$0")" -eq "$((head_bytes + payload_bytes))" ] || fail "The installer file is corrupt. Installation aborted."
for jar in "$dir"/jars/*.tmp; do
    mv -f "$jar" "${jar%.tmp}" || exit 1
done

# Absolute paths: a directory that is moved afterwards no longer works.
jre=$dir/jre
if [ -n "$jre_place" ]; then
    jre=${HOME:?}/$jre_place
    if [ -d "$jre" ]; then
        rm -rf "$dir/jre"
    else
        mkdir -p "$(dirname "$jre")" && mv "$dir/jre" "$jre" || fail "Cannot create $jre"
    fi
fi
printf '%s\n' "$jre" >"$dir/.install4j/inst_jre.cfg"
printf 'sys.installationDir=%s\nsys.languageId=en\n' "$dir" >"$dir/.install4j/response.varfile"
sed -i "s|@INSTALL_DIR@|$dir|g" "$dir/ibgateway" "$dir/.install4j/restarter" || exit 1

if [ "$quiet" = no ]; then
    ask "Run IB Gateway $major?
Yes [y], No [n, Enter]"
fi
echo "Finishing installation ..."
exit 0
