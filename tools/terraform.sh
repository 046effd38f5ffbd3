#!/bin/sh
# Terraform's own checks, offline where a provider mirror is on this machine: format, validate, test with a mocked
# provider, checkov. Usage: tools/terraform.sh check | plugins (prints the mirror's folder, or nothing)
set -eu
cd "$(dirname "$0")/.."

# A folder that holds registry.../hashicorp/aws, looked for once; TF_PLUGIN_MIRROR names it outright.
mirror() {
    if [ -n "${TF_PLUGIN_MIRROR:-}" ]; then echo "$TF_PLUGIN_MIRROR"; return; fi
    known=.cache/terraform-mirror
    if [ ! -f "$known" ]; then
        mkdir -p .cache
        for place in "$HOME/.terraform.d/plugins" /usr/local/share/terraform/plugins /usr/share/terraform/plugins /opt; do
            [ ! -d "$place" ] || find "$place" -maxdepth 5 -type d -path '*/hashicorp/aws' 2>/dev/null
        done | head -n 1 | sed 's#/[^/]*/hashicorp/aws$##' > "$known.$$"
        mv "$known.$$" "$known"
    fi
    cat "$known"
}

check() {
    if ! command -v terraform >/dev/null; then echo "terraform is not on PATH: its checks are left out"; return; fi
    if ! ls terraform/*.tf >/dev/null 2>&1; then echo "there is no terraform/*.tf"; return; fi
    plugins=$(mirror)
    if [ -n "$plugins" ]; then
        # The mirror holds one version and no lock file of other platforms: nothing is asked over the network.
        TF_CLI_CONFIG_FILE=/dev/null
        export TF_CLI_CONFIG_FILE
    fi
    TF_DATA_DIR=$(pwd)/.cache/terraform-check
    export TF_DATA_DIR
    terraform fmt -check -recursive terraform
    terraform -chdir=terraform init -backend=false -input=false -no-color ${plugins:+-plugin-dir="$plugins"} >/dev/null
    terraform -chdir=terraform validate -no-color
    terraform -chdir=terraform test -no-color
    tools/setup.sh .venv-checkov checkov
    .venv-checkov/bin/checkov --directory terraform --framework terraform --compact --quiet --skip-download
}

case ${1:-} in
check) check ;;
plugins) mirror ;;
*) echo "usage: tools/terraform.sh check | plugins" >&2; exit 2 ;;
esac
