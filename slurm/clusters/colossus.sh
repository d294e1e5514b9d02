# Colossus (TSD): a closed environment without a network; the account is the project, pNN.
NORN_SBATCH=(--cpus-per-task=16 --mem-per-cpu=4G)
module --quiet purge
