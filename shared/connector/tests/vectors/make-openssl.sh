#!/usr/bin/env bash
# Signs the bodies of bodies.json with openssl and prints openssl.json. Makes the test keys where they are missing.
set -euo pipefail
cd "$(dirname "$0")"
for bits in 1024 2048 4096; do
  [ -f "rsa-$bits.private.pem" ] || openssl genpkey -algorithm RSA -pkeyopt "rsa_keygen_bits:$bits" -out "rsa-$bits.private.pem" 2>/dev/null
done
body=$(mktemp)
trap 'rm -f "$body"' EXIT
separator='['
for bits in 1024 2048 4096; do
  key=$(openssl pkey -in "rsa-$bits.private.pem" -pubout -outform DER | base64 -w0)
  for digest in sha512 md5; do
    while read -r encoded; do
      base64 -d <<<"$encoded" >"$body"
      signature=$(openssl dgst "-$digest" -sign "rsa-$bits.private.pem" "$body" | base64 -w0)
      printf '%s\n{"maker": "openssl", "algorithm": "%swithRSA", "bits": %d, "key": "%s", "body": "%s", "signature": "%s"}' \
        "$separator" "${digest^^}" "$bits" "$key" "$encoded" "$signature"
      separator=','
    done < <(grep -o '"[A-Za-z0-9+/=]*"' bodies.json | tr -d '"')
  done
done
printf '\n]\n'
