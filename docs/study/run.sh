#!/usr/bin/env bash
# The run that docs/study holds: every experiment on phantoms, and on the real CTs of
# totalseg_mini where VOXTRAIL_CT names their folder.
#
#     VOXTRAIL_CT=DATA bash docs/study/run.sh FOLDER
#
# Resumable. Two workers where Ray is installed; STUDY_EXECUTOR=serial for one process.
set -euo pipefail
out=${1:?the folder to run in}
here=$(cd "$(dirname "$0")" && pwd)
executor=${STUDY_EXECUTOR:-ray}
export OMP_NUM_THREADS=1 HF_HUB_OFFLINE=1
# Ray starts workers at 15 by itself, which leaves them what others leave over.
export RAY_worker_niceness=0
# Everything but resolution, whose larger inputs take longer than all the rest together.
experiments="final per-bone slicing timing threshold stride gating preprocessing prompts
  propagation rivals prompt-budget noisy-prompts model-scale embeddings slice-change suggestion"

study() {  # name, dataset, per type, further options of sample
  local name=$1 root=$2 count=$3
  shift 3
  [ -f "$out/$name.csv" ] ||
    voxtrail dataset sample "$root" -o "$out/$name.csv" --per-type "$count" --seed 0 --quiet "$@"
  local options=(--manifest "$out/$name.csv" --root "$root" -o "$out/$name" --model micro
    --margin 10 --executor "$executor")
  # shellcheck disable=SC2086  # names, not a name
  voxtrail study run $experiments "${options[@]}"
  voxtrail study run resolution --per-type 1 "${options[@]}"
  voxtrail study report "$out/$name" -o "$here/$name" --force
}

mkdir -p "$out"
[ -f "$out/data/meta.csv" ] || voxtrail phantom "$out/data" --subjects 10 --seed 7
study phantom "$out/data" 4
if [ -n "${VOXTRAIL_CT:-}" ]; then
  study ct "$VOXTRAIL_CT/totalseg_mini" 4 --allow-short
fi
python "$here/fill.py"
