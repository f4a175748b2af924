"""A tiny installer in install4j's manner: it installs a launcher and a java that are shell scripts."""

from textwrap import dedent


def tiny_installer(*, extra: str = "", size: int = 0, launcher: str = "exec sleep 60") -> bytes:
    """Return an installer (`-q -dir DIR`).

    *extra* is run in it before it installs, with $dir; *size* is what it is padded to, in bytes.
    """
    head = dedent("""\
        #!/bin/sh
        # install4j-like, for tests
        [ "$1" = -q ] && [ "$2" = -dir ] || exit 64
        dir=$3
        echo "Unpacking"
        mkdir -p "$dir/jars" "$dir/.install4j" "$dir/jre/bin"
        @EXTRA@
        printf '#!/bin/sh\\n@LAUNCHER@\\n' > "$dir/ibgateway"
        printf '#!/bin/sh\\n' > "$dir/jre/bin/java"
        chmod 755 "$dir/ibgateway" "$dir/jre/bin/java"
        printf '%s\\n' "$dir/jre" > "$dir/.install4j/inst_jre.cfg"
        printf -- '-Xmx768m\\n' > "$dir/ibgateway.vmoptions"
        echo jar > "$dir/jars/total.jar"
        exit 0
        """)
    script = head.replace("@EXTRA@", extra or ":").replace("@LAUNCHER@", launcher).encode()
    return script + bytes(i * 7 % 251 for i in range(max(0, size - len(script))))
