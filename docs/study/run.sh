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
# The paper's, and slice changes. Everything but resolution, whose larger inputs take longer than
# all the rest together: it is run on the CTs alone.
papers="final per-bone slicing timing threshold stride gating preprocessing prompts propagation
  model-scale embeddings slice-change"
# What outlines are worth beyond the paper.
drawn="follow shape prompt-cap seeding rivals prompt-budget noisy-prompts
  suggestion"

sampled() {  # name, dataset, further options of sample
  local name=$1 root=$2
  shift 2
  [ -f "$out/$name.csv" ] ||
    voxtrail dataset sample "$root" -o "$out/$name.csv" --per-type 4 --seed 0 --quiet "$@"
}

study() {  # folder, manifest, dataset, experiments and options of run
  local name=$1 manifest=$2 root=$3
  shift 3
  voxtrail study run "$@" --manifest "$out/$manifest.csv" --root "$root" -o "$out/$name" \
    --model micro --margin 10 --executor "$executor"
}

report() {  # folder
  voxtrail study report "$out/$1" -o "$here/$1" --force
}

both() {  # manifest, dataset, structures a type in what is ours
  # shellcheck disable=SC2086  # names, not a name
  study "$1" "$1" "$2" $papers
  # shellcheck disable=SC2086
  study "drawn-$1" "$1" "$2" $drawn --per-type "$3"
  study "memories-$1" "$1" "$2" memories curve families --per-type 1
  report "$1"
  report "drawn-$1"
  report "memories-$1"
}

mkdir -p "$out"
[ -f "$out/data/meta.csv" ] || voxtrail phantom "$out/data" --subjects 10 --seed 7
sampled phantom "$out/data"
# Each bone type's mean is looked at here.
study drawn-phantom phantom "$out/data" shape follow --per-type 2
both phantom "$out/data" 1
if [ -n "${VOXTRAIL_CT:-}" ]; then
  sampled ct "$VOXTRAIL_CT/totalseg_mini" --allow-short
  study ct ct "$VOXTRAIL_CT/totalseg_mini" resolution --per-type 1
  both ct "$VOXTRAIL_CT/totalseg_mini" 2
fi
python "$here/fill.py"
