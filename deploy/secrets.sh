#!/usr/bin/env bash
# Makes what must not be in the repository: deploy/secrets.sh FOLDER
# Keys, passwords and addresses, one folder a Secret of deploy/k8s; what is there already is kept. Touches no cluster.
# Elsewhere than in the manifests: DATABASE_HOST, BROKER_HOST, SEARCH_HOST, BLOBS_HOST name the servers.
# LEDGER_ORIGIN is the ledger's name, FAZHI_LEDGER_ORIGIN of the province's settings: it is part of public keys.
# SOURCES_SIGN_FROM is when the services begin to sign their scored events (2026-12-01T00:00:00Z): now, or after an
# upgrade is rolled out, for what assessment receives from then on must be signed.
set -euo pipefail
umask 077
folder=${1:?usage: $0 FOLDER}
database=${DATABASE_HOST:-postgres-rw.fazhi-data.svc}
broker=${BROKER_HOST:-rabbitmq.fazhi-data.svc}
search=${SEARCH_HOST:-opensearch.fazhi-data.svc}
blobs=${BLOBS_HOST:-blobs.fazhi-data.svc}
origin=${LEDGER_ORIGIN:-fazhi.local/assessment}
signing=${SOURCES_SIGN_FROM:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}

# Writes standard input to a new file; a file that is there stays as it is.
keep() { mkdir -p "$(dirname "$folder/$1")"; if [ -s "$folder/$1" ]; then cat >/dev/null; else cat >"$folder/$1"; fi; }
password() { openssl rand -hex 24 | tr -d '\n'; }
# The public key of a private one as notes name it (C2SP signed-note): name+id+base64, the id from name and key.
public() {
  local raw id
  raw=$(openssl pkey -in "$folder/$2" -pubout -outform DER | tail -c 32 | base64 -w0)
  id=$({ printf '%s\n\001' "$1"; base64 -d <<<"$raw"; } | openssl dgst -sha256 -r | cut -c 1-8)
  printf '%s+%s+%s' "$1" "$id" "$({ printf '\001'; base64 -d <<<"$raw"; } | base64 -w0)"
}
# The address of the service's database for a role, whose password lies in a folder.
url() {
  printf 'postgresql+psycopg://%s:%s@%s:5432/fazhi_%s?sslmode=verify-full&sslrootcert=/etc/fazhi/trust/ca.crt\n' \
    "$1" "$(cat "$folder/$2/password")" "$database" "$service"
}

openssl genpkey -algorithm ed25519 | keep fazhi-gateway/identity.pem
# Once: later both files are changed together by `fazhi keys`.
[ -s "$folder/fazhi-trust/identity.pub.pem" ] ||
  openssl pkey -in "$folder/fazhi-gateway/identity.pem" -pubout | keep fazhi-trust/identity.pub.pem
openssl rand 32 | keep fazhi-gateway/partners.key
openssl genpkey -algorithm ed25519 | keep fazhi-assessment/ledger.pem
openssl genpkey -algorithm ed25519 | keep fazhi-publication/publication.pem
public "$origin" fazhi-assessment/ledger.pem | keep fazhi-trust/ledger.pub
public "$origin/publication" fazhi-publication/publication.pem | keep fazhi-trust/publication.pub
password | keep passwords/broker
password | keep passwords/search
for service in gateway legislation disputes decisions enforcement assessment; do
  openssl genpkey -algorithm ed25519 | keep "fazhi-$service/audit.pem"
  public "${origin%%/*}/audit/$service" "fazhi-$service/audit.pem" | keep "fazhi-trust/audit-$service.pub"
  { printf 'active-from: %s\n' "$signing"; openssl genpkey -algorithm ed25519; } | keep "fazhi-$service/source.pem"
  # Once, as identity.pub.pem; the line before the key goes with it.
  [ -s "$folder/fazhi-trust/source-$service.pub.pem" ] ||
    { grep '^active-from: ' "$folder/fazhi-$service/source.pem" || true; openssl pkey -in "$folder/fazhi-$service/source.pem" -pubout; } |
    keep "fazhi-trust/source-$service.pub.pem"
  for role in "$service" "$service-migrate"; do
    password | keep "postgres-$role/password"
    printf 'fazhi_%s' "${role/-/_}" | keep "postgres-$role/username"
  done
  url "fazhi_$service" "postgres-$service" | keep "fazhi-$service/database-url"
  url "fazhi_${service}_migrate" "postgres-$service-migrate" | keep "fazhi-$service-owner/owner-url"
  printf 'amqps://fazhi:%s@%s:5671/fazhi\n' "$(cat "$folder/passwords/broker")" "$broker" | keep "fazhi-$service/broker-url"
done
# Who compares the databases (R6) reads all of them, by one address; {service} in it stands for each.
password | keep postgres-reconcile/password
printf fazhi_reconcile | keep postgres-reconcile/username
service='{service}'
url fazhi_reconcile postgres-reconcile | keep fazhi-reconcile/database-url
# One key a service for the object store; grant each its own folder of the bucket only.
for service in legislation disputes decisions enforcement assessment; do
  password | keep "passwords/blobs-$service"
  printf 'https://fazhi-%s:%s@%s:9000/fazhi-evidence\n' "$service" "$(cat "$folder/passwords/blobs-$service")" "$blobs" |
    keep "fazhi-$service/blobs-url"
done
printf 'https://fazhi:%s@%s:9200\n' "$(cat "$folder/passwords/search")" "$search" | keep fazhi-legislation/opensearch-url
# One entry a partner on the bus, separated by commas: hotline=amqps://gateway:PASSWORD@HOST:5671/hotline
[ -e "$folder/fazhi-gateway/partner-brokers" ] || : >"$folder/fazhi-gateway/partner-brokers"
