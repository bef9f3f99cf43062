#!/usr/bin/env bash
# Makes what docker-compose.yml reads from deploy/secrets: an authority, a certificate for hosts, one for clients, token
# keys, passwords, connection strings. Existing files stay as they are. For trying out; in production bring your own.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
umask 077
secret() { [ -s "$1" ] || openssl rand -base64 "$2" >"$1"; }
certificate() { # name, subject, usage
  [ -s "$1.pem" ] && return
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" 2>/dev/null
  printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$2" >"$1.ext"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 365 -extfile "$1.ext" -out "$1.pem" 2>/dev/null
  rm -f "$1.csr" "$1.ext"
}
[ -s ca.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Silo authority" 2>/dev/null
certificate host silo
certificate client silo-client
secret token-keys 32
secret postgres-password 24
secret grafana-password 18
# Azurite's account is public knowledge: it protects nothing, and holds nothing but this machine's trials.
[ -s azure-connection ] || echo 'DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://azurite:10000/devstoreaccount1;TableEndpoint=http://azurite:10002/devstoreaccount1;' >azure-connection
[ -s postgres-connection ] || echo "Host=postgres;Username=silo;Password=$(cat postgres-password);Database=silo;Maximum Pool Size=20" >postgres-connection
# The hosts in the containers run under another user.
chmod 644 ./*.pem host.key token-keys azure-connection postgres-connection postgres-password grafana-password
echo "deploy/secrets is ready: $(ls | tr '\n' ' ')"
