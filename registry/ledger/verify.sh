#!/bin/sh
# Check this ledger without our software: POSIX sh, coreutils (sha256sum, basenc, date) and openssl, nothing else.
#
#   sh verify.sh [--policy FILE] [--roots FOLDER] [--known CHECKPOINT] [--strict] [--leaves] [LEDGER]
#
# The policy and the roots should be your own copies, from elsewhere: copies in the ledger prove only that it agrees with
# itself. What it does not do: read the lines of a batch. A batch whose bytes are as signed but whose words break the rules
# is for `foresaid verify`.
#
# Leaves with 0 all passed; 1 integrity; 2 usage; 3 history (not a continuation of the known checkpoint); 4 a signature or
# time stamp is wrong; 5 evidence is incomplete (with --strict also: a batch waits for its checkpoint).
set -u
LC_ALL=C
export LC_ALL
umask 077

usage() { echo "verify.sh: $1; usage: sh verify.sh [--policy FILE] [--roots FOLDER] [--known CHECKPOINT] [--strict] [--leaves] [LEDGER]" >&2; exit 2; }
full() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s/%s' "$PWD" "$1" ;; esac; }

policy='' roots='' known='' strict=no leaves=no ledger=''
while [ $# -gt 0 ]; do
    case $1 in
    --policy | --roots | --known)
        [ $# -gt 1 ] && [ -e "$2" ] || usage "$1 wants something that exists"
        case $1 in --policy) policy=$(full "$2") ;; --roots) roots=$(full "$2") ;; --known) known=$(full "$2") ;; esac
        shift 2 ;;
    --strict) strict=yes; shift ;;
    --leaves) leaves=yes; shift ;; # print the leaf hashes, to compare with ours
    -*) usage "unknown option $1" ;;
    *) [ -z "$ledger" ] || usage "two ledgers"; ledger=$1; shift ;;
    esac
done
cd "${ledger:-$(dirname "$0")}" 2>/dev/null || usage "no ledger at ${ledger:-$(dirname "$0")}"
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 2' HUP INT TERM

bad1='' bad3='' bad4='' bad5=''
wrong() { # class, what
    printf '%s: %s\n' "verify.sh" "$2" >&2
    eval "bad$1=yes"
}
finish() {
    for class in 1 3 4 5; do
        eval "[ -z \"\$bad$class\" ]" || { echo "verify.sh: FAILED (exit $class)"; exit $class; }
    done
    echo "verify.sh: $1"
    exit 0
}
is() { printf '%s\n' "$1" | grep -Eqx "$2"; }
hash_of() { sha256sum <"$1" | cut -c1-64; }
binary() { tr -d '\n' | tr a-f A-F | basenc --base16 -d; } # hexadecimal to bytes
hex() { od -An -v -tx1 | tr -d ' \n'; }

# --- V01: nothing missing, nothing foreign, plain files that nobody can run
[ -f log/MANIFEST ] && [ ! -h log/MANIFEST ] || wrong 1 "V01 log/MANIFEST is missing or no plain file"
[ -f log/checkpoint ] && [ ! -h log/checkpoint ] || wrong 1 "V01 log/checkpoint is missing or no plain file"
[ -z "$bad1" ] || finish
find . ! -type d ! -type f >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 not a plain file: $(head -n 1 "$work/odd")"
find . -type d | grep -Evx '\.(/log(/anchors(/[0-9]{8})?)?|/batches(/[0-9a-f]{2})?|/receipts(/[0-9a-f]{64})?|/tsa)?' >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a folder that does not belong here: $(head -n 1 "$work/odd")"
find . -type f ! -name '.tmp-*' | sort >"$work/files"
names='README\.md|verify\.sh|policy\.txt|log/(MANIFEST|checkpoint|ANCHORS\.sha256)|tsa/[A-Za-z0-9._-]+\.pem'
names="$names|log/anchors/[0-9]{8}/(checkpoint|subject|subject\.ots|[A-Za-z0-9._-]+\.tsr)|receipts/[0-9a-f]{64}/[A-Za-z0-9._-]+\.tsr"
grep -Evx "\./($names)" "$work/files" | grep -vx '\./batches/\([0-9a-f][0-9a-f]\)/\1[0-9a-f]\{62\}\.jsonl' >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a file that does not belong here: $(head -n 1 "$work/odd")"
find batches log receipts tsa policy.txt -type f ! -name '.tmp-*' \
    \( -perm -100 -o -perm -10 -o -perm -1 -o -perm -1000 -o -perm -2000 -o -perm -4000 \) 2>/dev/null >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a file with an odd mode: $(head -n 1 "$work/odd")"

# --- V04: the manifest is lines of sha256sum, each once
[ ! -s log/MANIFEST ] || [ "$(tail -c 1 log/MANIFEST | hex)" = 0a ] || wrong 1 "V04 log/MANIFEST: no newline at the end"
line='\(\([0-9a-f][0-9a-f]\)[0-9a-f]\{62\}\)  batches/\2/\1\.jsonl'
! grep -vqx "$line" log/MANIFEST || wrong 1 "V04 log/MANIFEST: a line that sha256sum would not write"
[ -z "$(sort log/MANIFEST | uniq -d | head -n 1)" ] || wrong 1 "V04 log/MANIFEST: a line stands twice"
[ -z "$bad1" ] || finish

# --- V02, V05: every batch has the bytes its name says, listed or waiting
listed=$(grep -c '' log/MANIFEST)
if [ "$listed" -gt 0 ]; then
    sha256sum --strict --quiet -c log/MANIFEST >/dev/null 2>"$work/odd" || wrong 1 "V02 V05 a batch is missing or was changed: $(head -n 1 "$work/odd")"
fi
sed -n 's/^\.\/\(batches\/..\/\(.*\)\.jsonl\)$/\2  \1/p' "$work/files" >"$work/found"
sort log/MANIFEST | comm -13 - "$work/found" >"$work/waiting"
if [ -s "$work/waiting" ]; then
    sha256sum --strict --quiet -c "$work/waiting" >/dev/null 2>&1 || wrong 1 "V02 a waiting batch has other bytes than its name says"
fi
[ -z "$bad1" ] || finish

# --- V07: the checkpoint is the size and the root of the manifest
note() { # file, stem: split a signed note into body and signatures, and read the body into $origin $size $root
    sed '/^$/q' "$1" >"$2.note" # three lines and the blank one
    sed '1,/^$/d' "$1" >"$2.signatures"
    { IFS= read -r origin; IFS= read -r size; IFS= read -r root; } <"$2.note" 2>/dev/null
    is "$origin" '[a-z0-9][a-z0-9._/-]{0,127}' && is "$size" '0|[1-9][0-9]{0,15}' && is "$root" '[A-Za-z0-9+/]{43}=' || return 1
    [ "$(printf '%s' "$root" | base64 -d 2>/dev/null | base64)" = "$root" ] || return 1
    printf '%s\n%s\n%s\n' "$origin" "$size" "$root" >"$2.body"
    { cat "$2.body"; echo; cat "$2.signatures"; } | cmp -s - "$1" || return 1
    ! grep -Evqx '— [^ +]+ [A-Za-z0-9+/]+={0,2}' "$2.signatures"
}
hashes() { # name of a folder of small files, in order: their hashes, one a line
    (cd "$1" && find . -type f | sort | xargs sha256sum | cut -c1-64)
}
tree() { # a size: the root in base64 over so many lines, level by level; a node without a partner moves up (RFC 6962)
    if [ "$1" -eq 0 ]; then openssl dgst -sha256 -binary </dev/null | base64; return; fi
    rm -rf "$work/level"; mkdir "$work/level"
    head -n "$1" log/MANIFEST | hex | fold -w 296 | sed 's/^/00/;' | { cat; echo; } | binary | (cd "$work/level" && split -a 5 -b 149)
    hashes "$work/level" >"$work/row"
    cp "$work/row" "$work/leaves"
    count=$1
    while [ "$count" -gt 1 ]; do
        rm -rf "$work/level"; mkdir "$work/level"
        head -n $((count / 2 * 2)) "$work/row" | paste -d '\0' - - | sed 's/^/01/' | binary | (cd "$work/level" && split -a 5 -b 65)
        hashes "$work/level" >"$work/next"
        [ $((count % 2)) -eq 0 ] || tail -n 1 "$work/row" >>"$work/next"
        mv "$work/next" "$work/row"
        count=$(((count + 1) / 2))
    done
    binary <"$work/row" | base64
}
holds() { # size, root: whether the manifest begins with this tree
    [ "$1" -le "$listed" ] && [ "$(tree "$1")" = "$2" ]
}
note log/checkpoint "$work/head" || { wrong 1 "V07 log/checkpoint: not a checkpoint"; finish; }
head_origin=$origin head_size=$size head_root=$root
holds "$size" "$root" || wrong 1 "V07 the manifest does not have the size and root of log/checkpoint"
[ "$leaves" = no ] || [ ! -f "$work/leaves" ] || cat "$work/leaves"

# --- V06, V07: parents stand before their children; every batch is for this log
{ cat log/MANIFEST; cat "$work/waiting"; } | cut -c67- | xargs -r head -q -n 1 >"$work/headers"
! grep -vqF "\"origin\":\"$origin\"" "$work/headers" || wrong 1 "V07 a batch of another log"
cut -c1-64 log/MANIFEST | nl -ba -w1 -s' ' | sed 's/^\([0-9]*\) \(.*\)$/\2 \1/' | sort >"$work/places"
sed 's/.*"parents":\[\([^]]*\)\].*/\1/;s/[",]/ /g' "$work/headers" | nl -ba -w1 -s' ' | while read -r child parents; do
    for parent in $parents; do echo "$parent $child"; done
done | sort >"$work/parents"
cut -c1-64 "$work/found" | sort | join -v 2 - "$work/parents" >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V06 a parent is missing: $(head -n 1 "$work/odd")"
join "$work/places" "$work/parents" | { while read -r parent place child; do [ "$place" -lt "$child" ] || exit 1; done; } ||
    wrong 1 "V06 a parent does not stand before its child"

# --- V12: the log only grew since the checkpoint you kept
if [ -n "$known" ]; then
    note "$known" "$work/known" || usage "--known is no checkpoint"
    [ "$origin" = "$head_origin" ] && [ "$size" -le "$head_size" ] && holds "$size" "$root" || {
        wrong 3 "V12 the log is not a continuation of the known checkpoint"
        cat "$work/known.body" "$work/head.body" >&2
    }
fi

# --- V08: the signatures that the policy asks for
verified() { # vkey, stem: whether one of the signatures of the note is by this key
    name=${1%%+*} rest=${1#*+}
    id=${rest%%+*}
    printf '%s' "${rest#*+}" | base64 -d 2>/dev/null | hex >"$work/key"
    kind=$(cut -c1-2 "$work/key")
    { printf 302a300506032b6570032100; cut -c3- "$work/key"; } | binary >"$work/key.der"
    # an id is the beginning of the hash of name, newline and key: a vkey with another one is a misprint
    [ "$({ printf '%s\n' "$name"; binary <"$work/key"; } | sha256sum | cut -c1-8)" = "$id" ] || return 1
    while read -r _ signer text; do
        [ "$signer" = "$name" ] || continue
        printf '%s' "$text" | base64 -d 2>/dev/null | hex >"$work/blob"
        [ "$(cut -c1-8 "$work/blob")" = "$id" ] || continue
        case $kind in
        01) cp "$2.body" "$work/said"; from=9 ;;
        04) { printf 'cosignature/v1\ntime %d\n' "0x$(cut -c9-24 "$work/blob")"; cat "$2.body"; } >"$work/said"; from=25 ;;
        *) return 1 ;;
        esac
        cut -c$from- "$work/blob" | binary >"$work/signature"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/said" -sigfile "$work/signature" \
            >/dev/null 2>&1 && return 0
    done <"$2.signatures"
    return 1
}
signed=no stamps=0
if [ -n "$policy" ]; then
    satisfied=' '
    quorum=none
    while read -r word name rest; do
        case $word in
        log)
            if [ "${name%%+*}" != "$head_origin" ]; then wrong 4 "V08 the policy is for the log ${name%%+*}"
            elif verified "$name" "$work/head"; then signed=yes
            elif [ ! -s "$work/head.signatures" ]; then wrong 5 "V08 the checkpoint is not signed"
            else wrong 4 "V08 no signature of the log's key"; fi ;;
        witness) if verified "$rest" "$work/head"; then satisfied="$satisfied$name "; fi ;;
        group)
            set -- $rest
            least=$1 have=0
            shift
            for member in "$@"; do case $satisfied in *" $member "*) have=$((have + 1)) ;; esac; done
            case $least in any) least=1 ;; all) least=$# ;; esac
            [ "$have" -lt "$least" ] || satisfied="$satisfied$name " ;;
        quorum) quorum=$name ;;
        stamps) stamps=$name ;;
        tsa)
            if [ -f "${roots:-tsa}/$name.pem" ]; then
                [ "$(hash_of "${roots:-tsa}/$name.pem")" = "$rest" ] || wrong 4 "V10 ${roots:-tsa}/$name.pem is not the root of the policy"
            fi ;;
        esac
    done <"$policy"
    case $quorum:$satisfied in none:* | *" $quorum "*) ;; *) wrong 5 "V08 the witnesses of the policy have not signed" ;; esac
fi

# --- V09, V10, V12: what was stamped is the beginning of this log, in a chain, and the stamps are good
if [ -f log/ANCHORS.sha256 ]; then
    { [ ! -f policy.txt ] || echo ./policy.txt; find ./log/anchors ./receipts ./tsa -type f ! -name '.tmp-*' 2>/dev/null; } | cut -c3- | sort >"$work/want"
    cut -c67- log/ANCHORS.sha256 | sort | cmp -s - "$work/want" || wrong 1 "V01 log/ANCHORS.sha256 does not list the files of evidence"
    [ ! -s "$work/want" ] || sha256sum --strict --quiet -c log/ANCHORS.sha256 >/dev/null 2>&1 || wrong 4 "V09 a file of evidence was changed"
elif [ -d log/anchors ] || [ -d receipts ]; then
    wrong 1 "V01 log/ANCHORS.sha256 is missing"
fi
stamped() { # data, token, authority: the token is over the data, by the root of this authority, within its certificate
    [ -f "${roots:-tsa}/$3.pem" ] || { wrong 5 "V10 no root for $3: its stamps are not checked"; return 1; }
    when=$(openssl ts -reply -in "$2" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
    when=$(date -ud "$when" +%s 2>/dev/null) && [ -n "$when" ] &&
        openssl ts -verify -data "$1" -in "$2" -CAfile "${roots:-tsa}/$3.pem" -attime "$when" >/dev/null 2>&1 ||
        { wrong 4 "V10 $2: not a good stamp"; return 1; }
}
previous=0000000000000000000000000000000000000000000000000000000000000000
good=0
for anchor in log/anchors/[0-9]*; do
    [ -d "$anchor" ] || continue
    if ! note "$anchor/checkpoint" "$work/anchor"; then wrong 4 "V09 $anchor/checkpoint: not a checkpoint"; continue; fi
    [ "$(printf '%08d' "$size")" = "${anchor##*/}" ] || wrong 4 "V09 $anchor: its checkpoint has size $size"
    [ "$origin" = "$head_origin" ] && [ "$size" -le "$head_size" ] && holds "$size" "$root" || wrong 3 "V12 the log is not a continuation of $anchor"
    printf 'forecast-anchor/v1\norigin %s\nsize %s\ncheckpoint-sha256 %s\nmanifest-sha256 %s\nprevious %s\n' "$head_origin" "$size" \
        "$(hash_of "$work/anchor.body")" "$(head -n "$size" log/MANIFEST | sha256sum | cut -c1-64)" "$previous" |
        cmp -s - "$anchor/subject" || wrong 4 "V09 $anchor/subject is not about this log and the anchor before"
    previous=$(sha256sum 2>/dev/null <"$anchor/subject" | cut -c1-64)
    good=0
    for token in "$anchor"/*.tsr; do
        [ -f "$token" ] || continue
        authority=${token##*/}
        if stamped "$anchor/subject" "$token" "${authority%.tsr}"; then good=$((good + 1)); fi
    done
done
for token in receipts/*/*.tsr; do
    [ -f "$token" ] || continue
    authority=${token##*/} name=${token#receipts/}
    name=${name%%/*}
    stamped "batches/$(printf '%s' "$name" | cut -c1-2)/$name.jsonl" "$token" "${authority%.tsr}"
done
[ "$good" -ge "$stamps" ] || wrong 5 "V10 $good of the $stamps authorities of the policy have stamped the newest anchor"

waiting=$((listed - head_size + $(grep -c '' "$work/waiting")))
[ "$strict" = no ] || [ "$waiting" -eq 0 ] || wrong 5 "V20 $waiting batches wait for a checkpoint"
finish "all checks passed: $head_size batches under the checkpoint, $waiting waiting, root $head_root, signed by the log: $signed"
