#!/bin/sh
# Check this ledger without our software: POSIX sh, coreutils (sha256sum, basenc, date) and openssl, nothing else.
#
#   sh verify.sh [--policy FILE] [--roots FOLDER] [--known CHECKPOINT] [--strict] [--leaves] [LEDGER]
#
# The policy and the roots should be your own copies, from elsewhere: without them those in the ledger are used, and prove
# only that it agrees with itself. After a change of keys it follows the key/v1 lines from the key of the policy to the newest.
# What it does not do: read any other line of a batch. A batch whose bytes are as signed but whose words break the rules is for `foresaid verify`.
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
binary() { tr a-f A-F | basenc --base16 -d; } # lines of hexadecimal to bytes
hex() { od -An -v -tx1 | tr -d ' \n'; }

# --- V01: nothing missing, nothing foreign, plain files that nobody can run
[ -f log/MANIFEST ] && [ ! -h log/MANIFEST ] || wrong 1 "V01 log/MANIFEST is missing or no plain file"
[ -f log/checkpoint ] && [ ! -h log/checkpoint ] || wrong 1 "V01 log/checkpoint is missing or no plain file"
[ -z "$bad1" ] || finish
find . ! -type d ! -type f >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 not a plain file: $(head -n 1 "$work/odd")"
find . -type d | grep -Evx '\.(/log(/anchors(/[0-9]{8})?)?|/batches(/[0-9a-f]{2})?|/receipts(/[0-9a-f]{64})?|/signatures|/tsa)?' >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a folder that does not belong here: $(head -n 1 "$work/odd")"
find . -type f ! -name '.tmp-*' | sort >"$work/files"
authority='[a-z0-9][a-z0-9-]{0,63}'
names="README\.md|verify\.sh|policy\.txt|log/(MANIFEST|checkpoint|ANCHORS\.sha256)|tsa/$authority\.pem"
names="$names|log/anchors/[0-9]{8}/(checkpoint|subject|subject\.ots|replies|$authority\.tsr)|receipts/[0-9a-f]{64}/$authority\.tsr"
names="$names|signatures/[0-9a-f]{64}\.note"
grep -Evx "\./($names)" "$work/files" | grep -vx '\./batches/\([0-9a-f][0-9a-f]\)/\1[0-9a-f]\{62\}\.jsonl' >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a file that does not belong here: $(head -n 1 "$work/odd")"
find batches log receipts signatures tsa policy.txt -type f ! -name '.tmp-*' \
    \( -perm -100 -o -perm -10 -o -perm -1 -o -perm -1000 -o -perm -2000 -o -perm -4000 \) 2>/dev/null >"$work/odd"
[ ! -s "$work/odd" ] || wrong 1 "V01 a file with an odd mode: $(head -n 1 "$work/odd")"
[ -z "$bad1" ] || finish # nothing below opens what is not a plain file: a pipe would never end

# --- V04: the manifest is lines of sha256sum, each once
[ ! -s log/MANIFEST ] || [ "$(tail -c 1 log/MANIFEST | hex)" = 0a ] || wrong 1 "V04 log/MANIFEST: no newline at the end"
line='\(\([0-9a-f][0-9a-f]\)[0-9a-f]\{62\}\)  batches/\2/\1\.jsonl'
! grep -vqx "$line" log/MANIFEST || wrong 1 "V04 log/MANIFEST: a line that sha256sum would not write"
[ -z "$(sort log/MANIFEST | uniq -d | head -n 1)" ] || wrong 1 "V04 log/MANIFEST: a line stands twice"
[ -z "$bad1" ] || finish

# --- V02, V05: every batch has the bytes its name says, listed or waiting; one whose bytes are gone was redacted
listed=$(grep -c '' log/MANIFEST)
sed -n 's/^\.\/\(batches\/..\/\(.*\)\.jsonl\)$/\2  \1/p' "$work/files" | sort >"$work/found"
sort log/MANIFEST >"$work/sorted"
comm -23 "$work/sorted" "$work/found" | cut -c1-64 >"$work/gone"
while read -r name; do
    if grep -qs "^{\"author\":.*\"batch\":\"$name\".*\"type\":\"redaction/v1\"}\$" batches/*/*.jsonl; then
        wrong 5 "V05 batch $name was redacted"
    else
        wrong 1 "V05 batch $name stands in the manifest, but there is no such file"
    fi
done <"$work/gone"
comm -13 "$work/sorted" "$work/found" >"$work/waiting"
if [ -s "$work/found" ]; then
    sha256sum --strict --quiet -c "$work/found" >/dev/null 2>"$work/odd" || wrong 1 "V02 a batch has other bytes than its name says: $(head -n 1 "$work/odd")"
fi

# --- V02: evidence beside the batches has the sums that were written down (against corruption; forgery is for keys and stamps)
{ [ ! -f policy.txt ] || echo ./policy.txt; find ./log/anchors ./receipts ./signatures ./tsa -type f ! -name '.tmp-*' 2>/dev/null; } | cut -c3- | sort >"$work/evidence"
if [ -s "$work/evidence" ] || [ -f log/ANCHORS.sha256 ]; then
    xargs -r sha256sum <"$work/evidence" 2>/dev/null | cmp -s - log/ANCHORS.sha256 || wrong 1 "V02 log/ANCHORS.sha256 does not agree with the files of evidence"
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
    ! grep -Evqx '— [!-*,-~]{1,128} [A-Za-z0-9+/]{7,}={0,2}' "$2.signatures" && [ "$(grep -c '' "$2.signatures")" -le 16 ] || return 1
    while read -r _ _ text; do
        [ "$(printf '%s' "$text" | base64 -d 2>/dev/null | base64 -w 0)" = "$text" ] || return 1
    done <"$2.signatures"
}
hashes() { # name of a folder of small files, in order: their hashes, one a line
    (cd "$1" && find . -type f | sort | xargs sha256sum | cut -c1-64)
}
tree() { # a size: the root in base64 over so many lines, level by level; a node without a partner moves up (RFC 6962)
    if [ "$1" -eq 0 ]; then openssl dgst -sha256 -binary </dev/null | base64; return; fi
    rm -rf "$work/level"; mkdir "$work/level"
    head -n "$1" log/MANIFEST | hex | fold -w 296 | sed 's/^/00/' | binary | (cd "$work/level" && split -a 5 -b 149)
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
    [ "$1" -le "$listed" ] || return 1
    [ -f "$work/root-$1" ] || tree "$1" >"$work/root-$1"
    [ "$(cat "$work/root-$1")" = "$2" ]
}
note log/checkpoint "$work/head" || { wrong 1 "V07 log/checkpoint: not a checkpoint"; finish; }
head_origin=$origin head_size=$size head_root=$root
holds "$size" "$root" || wrong 1 "V07 the manifest does not have the size and root of log/checkpoint"
[ "$leaves" = no ] || [ ! -f "$work/leaves" ] || cat "$work/leaves"

# --- V06, V07: parents stand before their children; every batch is for this log
{ cat log/MANIFEST; cat "$work/waiting"; } | cut -c67- | nl -ba -w1 -s' ' | grep -vFf "$work/gone" >"$work/numbered"
cut -d' ' -f2 "$work/numbered" | xargs -r head -q -n 1 >"$work/headers"
! grep -vqF "\"origin\":\"$origin\"" "$work/headers" || wrong 1 "V07 a batch of another log"
nl -ba -w1 -s' ' log/MANIFEST | sed 's/^\([0-9]*\) \([0-9a-f]*\) .*/\2 \1/' | sort >"$work/places"
sed 's/.*"parents":\[\([^]]*\)\].*/\1/;s/[",]/ /g' "$work/headers" | paste -d' ' "$work/numbered" - | while read -r child _ parents; do
    for parent in $parents; do echo "$parent $child"; done
done | sort >"$work/parents"
{ cut -c1-64 "$work/found"; cat "$work/gone"; } | sort | join -v 2 - "$work/parents" >"$work/odd"
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
verified() { # vkey, stem: 0 if the key signed the note, 1 if no line claims so, 2 if one claims so and is false
    name=${1%%+*} rest=${1#*+} answer=1
    id=${rest%%+*}
    printf '%s' "${rest#*+}" | base64 -d 2>/dev/null | hex >"$work/key"
    kind=$(cut -c1-2 "$work/key")
    { printf 302a300506032b6570032100; cut -c3- "$work/key"; } | binary >"$work/key.der"
    # an id is the beginning of the hash of name, newline and key: a vkey with another one is a misprint
    [ "$({ printf '%s\n' "$name"; binary <"$work/key"; } | sha256sum | cut -c1-8)" = "$id" ] || return 2
    while read -r _ signer text; do
        [ "$signer" = "$name" ] || continue
        printf '%s' "$text" | base64 -d | hex >"$work/blob"
        [ "$(cut -c1-8 "$work/blob")" = "$id" ] || continue
        [ $answer -eq 1 ] || return 2
        case $kind in
        01) cp "$2.body" "$work/said"; from=9 ;;
        04) { printf 'cosignature/v1\ntime %d\n' "0x$(cut -c9-24 "$work/blob")"; cat "$2.body"; } >"$work/said"; from=25 ;;
        *) return 2 ;;
        esac
        cut -c$from- "$work/blob" | binary >"$work/signature"
        openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$work/said" -sigfile "$work/signature" \
            >/dev/null 2>&1 || return 2
        answer=0 at=0
        [ "$kind" != 04 ] || at=$(printf '%d' "0x$(cut -c9-24 "$work/blob")")
    done <"$2.signatures"
    return $answer
}
keys_at() { # the keys that may sign the checkpoint after one of size $held: the policy's, then as key/v1 lines below that size say
    echo "$own" >"$work/keys"
    while read -r place status key; do
        [ "$place" -le "$held" ] || continue
        grep -vxF -e "$key" "$work/keys" >"$work/rest"
        [ "$status" = revoked ] || echo "$key" >>"$work/rest"
        mv "$work/rest" "$work/keys"
    done <"$work/told"
}
judge() { # stem: all that the policy says of the signatures under a checkpoint; what is wrong goes into a file of its own
    stem=$1 satisfied=' ' quorum=none keyed=no newest=0
    : >"$work/faults"
    while read -r word name rest; do
        case $word in
        log)
            keyed=yes good=no
            [ "${name%%+*}" = "$head_origin" ] || echo "the policy is for the log ${name%%+*}" >>"$work/faults"
            while read -r key; do if verified "$key" "$stem"; then good=yes; fi; done <"$work/keys"
            [ $good = yes ] || echo "not signed by a key of the log that is in force" >>"$work/faults" ;;
        witness)
            witness=$name
            verified "$rest" "$stem"
            case $? in 0) satisfied="$satisfied$witness "; [ "$at" -le "$newest" ] || newest=$at ;; 2) echo "the cosignature of $witness is false" >>"$work/faults" ;; esac ;;
        group)
            group=$name have=0
            set -- $rest
            least=$1
            shift
            case $least in any) least=1 ;; all) least=$# ;; esac
            for member in "$@"; do case $satisfied in *" $member "*) have=$((have + 1)) ;; esac; done
            [ "$have" -lt "$least" ] || satisfied="$satisfied$group " ;;
        quorum) quorum=$name ;;
        esac
    done <"$policy"
    [ $keyed = yes ] || [ ! -s "$stem.signatures" ] || echo "signed, but the policy names no key that could check it" >>"$work/faults"
}
weigh() { # size, stem, name: judge a checkpoint by the keys in force for it; only one that nothing is wrong with hands over
    keys_at
    judge "$2"
    if [ ! -s "$work/faults" ]; then
        begun=yes
        [ "$1" -ge "$head_size" ] || held=$1
    fi
    # a reader who pins a later key begins at the first checkpoint it signed
    [ $begun = yes ] || [ "$1" -ge "$head_size" ] || return 0
    while read -r fault; do wrong 4 "V08 $3: $fault"; done <"$work/faults"
}
if [ -z "$policy" ] && [ -f policy.txt ]; then policy=policy.txt; fi
policy=${policy:-/dev/null} roots=${roots:-tsa}
own=$(sed -n 's/^[[:blank:]]*log[[:blank:]]*\([^[:blank:]]*\)[[:blank:]]*$/\1/p' "$policy" | head -n 1)
# keys of this log that come and go: place in the log, added or revoked, key; a line takes effect after the checkpoint that first holds it
cut -d' ' -f2 "$work/numbered" | xargs -r grep -l '"type":"key/v1"' >"$work/keyed"
grep -Ff "$work/keyed" "$work/numbered" | while read -r place path; do
    [ "$place" -gt "$head_size" ] || sed -n "s|^{\"reason\":\".*\",\"status\":\"\([a-z]*\)\",\"type\":\"key/v1\",\"vkey\":\"\([^\"]*\)\"}\$|$place \1 \2|p" "$path"
done | grep -F " $head_origin+" | grep -E '[+][0-9a-f]{8}[+]A[Q-Za-f]' >"$work/told" # of the type of a log's key
held=0 begun=yes # was the reader's own key there from the start?
case $(grep -F -e " $own" "$work/told" | head -n 1) in *" added $own") begun=no ;; esac

# --- V09, V10, V12: what was stamped is the beginning of this log, in a chain, and the stamps are good
wanted=$(sed -n 's/^stamps //p' "$policy")
sed -n 's/^tsa \([^ ]*\) \([0-9a-f]*\)$/\1 \2/p' "$policy" >"$work/authorities"
while read -r name pinned; do
    [ "$(hash_of "$roots/$name.pem" 2>/dev/null)" = "$pinned" ] || wrong 4 "V10 $roots/$name.pem is not the root of the policy"
done <"$work/authorities"
stamped() { # data, token, authority: the token is over the data, by the root of this authority, within its certificate
    grep -q "^$3 " "$work/authorities" || { wrong 5 "V10 $2: the policy names no authority $3"; return 1; }
    when=$(openssl ts -reply -in "$2" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
    [ -n "$when" ] || { wrong 5 "V10 $2: not readable here"; return 1; }
    when=$(date -ud "$when" +%s 2>/dev/null) && [ -n "$when" ] &&
        openssl ts -verify -data "$1" -in "$2" -CAfile "$roots/$3.pem" -attime "$when" >/dev/null 2>&1 ||
        { wrong 4 "V10 $2: not a good stamp"; return 1; }
}
previous=0000000000000000000000000000000000000000000000000000000000000000
: >"$work/covered"
for anchor in log/anchors/[0-9]*; do
    [ -d "$anchor" ] && [ -n "$(find "$anchor" -type f ! -name '.tmp-*')" ] || continue
    if ! note "$anchor/checkpoint" "$work/anchor" 2>/dev/null; then wrong 4 "V09 $anchor/checkpoint: missing or not a checkpoint"; continue; fi
    [ "$(printf '%08d' "$size")" = "${anchor##*/}" ] || wrong 4 "V09 $anchor: its checkpoint has size $size"
    [ "$origin" = "$head_origin" ] && [ "$size" -le "$head_size" ] && holds "$size" "$root" || wrong 3 "V12 the log is not a continuation of $anchor"
    printf 'forecast-anchor/v1\norigin %s\nsize %s\ncheckpoint-sha256 %s\nmanifest-sha256 %s\nprevious %s\n' "$head_origin" "$size" \
        "$(hash_of "$work/anchor.body")" "$(head -n "$size" log/MANIFEST | sha256sum | cut -c1-64)" "$previous" >"$work/subject"
    [ ! -f "$anchor/replies" ] || echo "replies-sha256 $(hash_of "$anchor/replies")" >>"$work/subject"
    cmp -s "$work/subject" "$anchor/subject" || wrong 4 "V09 $anchor/subject is not about this log and the anchor before"
    # replies that an anchor lists cannot be taken away again
    [ ! -s "$anchor/replies" ] || sha256sum --strict --quiet -c "$anchor/replies" >/dev/null 2>&1 ||
        wrong 4 "V09 $anchor/replies: a time-stamp reply that was here is gone or another one"
    previous=$(sha256sum 2>/dev/null <"$anchor/subject" | cut -c1-64)
    anchored=$size
    weigh "$size" "$work/anchor" "$anchor/checkpoint"
    for token in "$anchor"/*.tsr; do
        [ -f "$token" ] || continue
        authority=${token##*/}
        if stamped "$anchor/subject" "$token" "${authority%.tsr}"; then echo "$anchored ${authority%.tsr}" >>"$work/covered"; fi
    done
done
weigh "$head_size" "$work/head" log/checkpoint
# how long ago a witness saw this: an older state of the log was once cosigned as well
if [ "$newest" -gt 0 ]; then
    days=$((($(date -u +%s) - newest) / 86400))
    echo "verify.sh: newest cosignature: $days days ago"
    fresh=$(sed -n 's/^[[:blank:]]*fresh[[:blank:]]*\([1-9][0-9]*\)[[:blank:]]*$/\1/p' "$policy")
    [ -z "$fresh" ] || [ "$days" -lt "$fresh" ] || wrong 5 "V08 the newest cosignature is older than the $fresh days of the policy"
fi
# the authors whose keys the policy has signed what is in their name
sed -n 's/^[[:blank:]]*author[[:blank:]]\{1,\}\([^[:blank:]]*\)[[:blank:]]\{1,\}\([^[:blank:]]*\)[[:blank:]]*$/\1 \2/p' "$policy" >"$work/authors"
for name in $(cut -d' ' -f1 "$work/authors" | sort -u); do
    paste -d" " "$work/numbered" "$work/headers" | grep -F ",\"author\":\"$name\",\"code\":" >"$work/theirs"
    while read -r place path _; do
        batch=${path##*/}
        batch=${batch%.jsonl}
        good=no said=signatures/$batch.note
        if [ -f "$said" ]; then
            sed '/^$/,$d' "$said" >"$work/signed.body"
            sed '1,/^$/d' "$said" >"$work/signed.signatures"
            if printf 'forecast-batch/v1\n%s\n%s\n' "$head_origin" "$batch" | cmp -s - "$work/signed.body" &&
                { cat "$work/signed.body"; echo; cat "$work/signed.signatures"; } | cmp -s - "$said"; then
                while read -r author key; do
                    if [ "$author" = "$name" ] && verified "$key" "$work/signed"; then good=yes; fi
                done <"$work/authors"
            fi
        fi
        [ $good = yes ] || if [ "$place" -le "$listed" ]; then wrong 4 "V08 batch $batch is in the name of $name, who did not sign it"
        else wrong 5 "V14 batch $batch is in the name of $name, who did not sign it; it is not let into the log"; fi
    done <"$work/theirs"
done
for said in signatures/*.note; do
    [ -f "$said" ] || continue
    batch=${said#signatures/}
    { cut -c1-64 "$work/found"; cat "$work/gone"; } | grep -qx "${batch%.note}" || wrong 4 "V08 $said signs a batch that is not here"
done
case $quorum:$satisfied in none:* | *" $quorum "*) ;; *) wrong 5 "V08 the witnesses of the policy have not signed" ;; esac
: >"$work/receipts"
for token in receipts/*/*.tsr; do
    [ -f "$token" ] || continue
    authority=${token##*/} name=${token#receipts/}
    name=${name%%/*}
    { cut -c1-64 "$work/found"; cat "$work/gone"; } | grep -qx "$name" || { wrong 4 "V10 receipts/$name is about no batch here"; continue; }
    if stamped "batches/$(printf '%s' "$name" | cut -c1-2)/$name.jsonl" "$token" "${authority%.tsr}"; then
        echo "$name ${authority%.tsr}" >>"$work/receipts"
    fi
done
if [ "${wanted:-0}" -gt 0 ]; then
    sort -rn "$work/covered" | sort -u -k2,2 >"$work/best" # the largest subject of each authority
    from=$(sort -rn "$work/best" | sed -n "${wanted}p" | cut -d' ' -f1)
    head -n "$head_size" log/MANIFEST | nl -ba -w1 -s' ' | tail -n "+$((${from:-0} + 1))" | while read -r place name _; do
        have=$({ sed -n "s/^$name //p" "$work/receipts"; while read -r size authority; do [ "$size" -lt "$place" ] || echo "$authority"; done <"$work/best"; } | sort -u | grep -c '')
        [ "$have" -ge "$wanted" ] || exit 1
    done || wrong 5 "V10 some batches have fewer stamps than the $wanted of the policy"
fi

waiting=$((listed - head_size + $(grep -c '' "$work/waiting")))
[ "$strict" = no ] || [ "$waiting" -eq 0 ] || wrong 5 "V20 $waiting batches wait for a checkpoint"
finish "all checks passed: $head_size batches under the checkpoint, $waiting waiting, root $head_root, signed by the log: $keyed"
