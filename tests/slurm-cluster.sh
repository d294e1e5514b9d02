#!/usr/bin/env bash
# A Slurm of two virtual nodes on this machine, for tests/slurm.rs: one controller, no accounting, all on loopback.
# usage: slurm-cluster.sh start|stop DIR       needs root, and Debian's slurm-wlm and munge
# Then SLURM_CONF=DIR/slurm.conf makes sbatch, squeue and scontrol speak to it.
set -euo pipefail
action=$1 dir=$2
export SLURM_CONF=$dir/slurm.conf PATH=$PATH:/usr/sbin

stop() {
  for name in slurmd-n1 slurmd-n2 slurmctld munged; do
    [ -f "$dir/$name.pid" ] && kill "$(cat "$dir/$name.pid")" 2>/dev/null
    rm -f "$dir/$name.pid"
  done
  return 0
}

start() {
  mkdir -p "$dir/munge" "$dir/state" "$dir/n1" "$dir/n2"
  chmod 755 "$dir"
  chmod 700 "$dir/munge"
  head -c 1024 /dev/urandom >"$dir/munge/key"
  chmod 400 "$dir/munge/key"
  munged --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" --pid-file="$dir/munged.pid" \
    --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
  host=$(hostname -s)
  # Ports apart from those of a Slurm that may run here, and of another test's.
  port=$((10000 + $$ % 7000 * 3))
  cat >"$SLURM_CONF" <<C
ClusterName=norn
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd-%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=pmix
SchedulerParameters=sched_interval=1
SlurmdParameters=config_overrides
ReturnToService=2
MailProg=/bin/true
KillWait=2
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=4000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=4 RealMemory=4000
PartitionName=normal Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
C
  slurmctld
  for node in n1 n2; do
    # Where there are no cgroups of ours, newer versions can do without.
    slurmd -N $node 2>/dev/null || { echo "CgroupPlugin=disabled" >"$dir/cgroup.conf" && slurmd -N $node; }
  done
  for _ in $(seq 60); do
    if [ "$(sinfo --noheader --Node --format=%t 2>/dev/null | grep -c "^idle$")" = 2 ]; then return 0; fi
    sleep 0.5
  done
  echo "the nodes did not come up" >&2
  tail -n 5 "$dir"/*.log >&2
  return 1
}

"$action"
