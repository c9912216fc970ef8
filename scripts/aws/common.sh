# shellcheck shell=bash
# What the scripts of this folder share.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
root=deploy/terraform

fail() {
  printf '%s: %s\n' "$0" "$*" >&2
  exit 1
}

needs() {
  local program
  for program in "$@"; do command -v "$program" >/dev/null || fail "no $program here; install it first"; done
}

terraform_in() { terraform -chdir="$root" "$@"; }

# The state is in a bucket of the account, which is made at the first use.
init() {
  local account region bucket
  [[ -f $root/terraform.tfvars ]] || fail "$root/terraform.tfvars is missing; copy terraform.tfvars.example and fill it in"
  account=$(aws sts get-caller-identity --query Account --output text) || fail "no AWS account; run: aws configure"
  region=$(aws configure get region || true)
  region=${AWS_REGION:-${region:-us-west-2}}
  bucket=${ORDERMILL_STATE_BUCKET:-ordermill-terraform-$account-$region}
  if ! aws s3api head-bucket --bucket "$bucket" 2>/dev/null; then
    aws s3 mb "s3://$bucket" --region "$region"
    aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
    aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
      BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
  fi
  terraform_in init -input=false -backend-config="bucket=$bucket" -backend-config="region=$region" \
    -backend-config="key=ordermill.tfstate"
}
