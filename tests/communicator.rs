//! The communicator in real processes. Each test runs this binary again, under mpirun where ranks are wanted.
//!
//! MPI cases run with the feature `mpi` and NORN_MPI=1 in the environment; else they are skipped by name.
#![allow(missing_docs, clippy::unwrap_used)]

use std::process::{Command, Output};

use norn::compute::communicator::Communicator;

/// What the processes below do; the case is in NORN_CASE. Without it, this is no test.
#[test]
fn process_body() {
    let Ok(case) = std::env::var("NORN_CASE") else { return };
    let ranks = match Communicator::from_environment() {
        Ok(ranks) => ranks,
        Err(error) => Communicator::solo().fail(&error, 3),
    };
    match case.as_str() {
        "talk" => talk(ranks.with_piece_size(7)),
        "panic" if ranks.rank() == 1 => panic!("the message of the panic"),
        "panic in a thread" if ranks.rank() == 1 => {
            let _ = std::thread::spawn(|| panic!("the message of the panic")).join();
        }
        "fail" if ranks.rank() == 2 => ranks.fail(&"the message of the error", 3),
        _ => ranks.barrier(),
    }
}

/// Every kind of message, in pieces of 7 bytes, at lengths around borders of pieces.
fn talk(ranks: Communicator) {
    assert_eq!(ranks.size(), 3);
    let (rank, root) = (ranks.rank(), ranks.is_root());
    let message = |from: usize, length: usize| (0..length).map(|n| (n * 31 + from) as u8).collect::<Vec<_>>();
    for length in [0, 1, 6, 7, 8, 14, 1000] {
        let expected = (0..3).map(|from| message(from, length * (from + 1))).collect();
        let gathered = ranks.gather_bytes(&message(rank, length * (rank + 1))).unwrap();
        assert_eq!(gathered, root.then_some(expected));

        let sent = if root { message(9, length) } else { b"replaced".to_vec() };
        assert_eq!(ranks.broadcast_bytes(sent).unwrap(), message(9, length));

        // Workers may be ahead in the next gather while the root still receives from anybody.
        if root {
            let mut met = [ranks.receive_bytes(None).unwrap(), ranks.receive_bytes(None).unwrap()];
            met.sort();
            assert_eq!(met, [(1, message(1, length)), (2, message(2, length))]);
            ranks.send_bytes(2, b"last").unwrap();
        } else {
            ranks.send_bytes(0, &message(rank, length)).unwrap();
            if rank == 2 {
                assert_eq!(ranks.receive_bytes(Some(0)).unwrap(), (0, b"last".to_vec()));
            }
        }
    }
    assert!(ranks.send_bytes(rank, b"").is_err() && ranks.send_bytes(3, b"").is_err());
    ranks.barrier();
    if root {
        println!("all ranks have talked");
    }
}

fn run(command: &mut Command, case: &str) -> (Output, String) {
    let output = command.env("NORN_CASE", case).output().unwrap();
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    (output, String::from_utf8_lossy(&text).into_owned())
}

fn this_binary(mut command: Command) -> Command {
    command.args(["--exact", "process_body", "--nocapture"]);
    command
}

#[cfg(feature = "mpi")]
mod mpi {
    use std::time::{Duration, Instant};

    use super::*;

    /// This binary under mpirun as three ranks; `None` where MPI is not to be tested.
    fn three_ranks(test: &str) -> Option<Command> {
        if std::env::var_os("NORN_MPI").is_none_or(|value| value != "1") {
            eprintln!("skipped: {test} (set NORN_MPI=1)");
            return None;
        }
        let mut command = Command::new("mpirun");
        command
            .args(["--oversubscribe", "-n", "3"])
            .arg(std::env::current_exe().unwrap())
            .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
            .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        Some(this_binary(command))
    }

    #[test]
    fn ranks_talk() {
        let Some(mut command) = three_ranks("ranks_talk") else { return };
        let (output, text) = run(&mut command, "talk");
        assert!(output.status.success() && text.contains("all ranks have talked"), "{text}");
    }

    #[test]
    fn a_failing_rank_ends_the_job() {
        for (case, code, message) in [
            ("panic", 1, "the message of the panic"),
            ("panic in a thread", 1, "the message of the panic"),
            ("fail", 3, "the message of the error"),
        ] {
            let Some(mut command) = three_ranks("a_failing_rank_ends_the_job") else { return };
            let start = Instant::now();
            let (output, text) = run(&mut command, case);
            assert!(start.elapsed() < Duration::from_secs(10), "{case}: {:?}", start.elapsed());
            assert_eq!(output.status.code(), Some(code), "{case}: {text}");
            let rank = if case == "fail" { 2 } else { 1 };
            let line = text.lines().find(|line| line.contains(message)).unwrap_or_default();
            assert!(line.starts_with(&format!("norn: rank {rank} on ")), "{case}: {text}");
        }
    }
}

#[cfg(not(feature = "mpi"))]
#[test]
fn ranks_without_mpi_are_refused() {
    let mut command = this_binary(Command::new(std::env::current_exe().unwrap()));
    let (output, text) = run(command.env("OMPI_COMM_WORLD_SIZE", "3"), "talk");
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("one of 3 ranks") && text.contains("--features mpi"), "{text}");
}
