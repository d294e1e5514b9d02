//! Ranks of one job: alone, or many under MPI.
//!
//! MPI is initialised only in a build with the feature `mpi` that mpirun or srun has launched as more than one rank;
//! everywhere else a [`Communicator`] is one rank and costs nothing. Messages are bytes; lengths travel as 64 bits and
//! bodies in pieces, because one MPI message holds less than 2 GiB.
//!
//! MPI is used from the thread that made the communicator and from no other (`MPI_THREAD_FUNNELED`); the type is
//! neither `Send` nor `Sync`, in any build, so the compiler holds callers to it. A panic in any thread of any rank ends
//! the whole job within seconds.

use std::{fmt::Display, io::Write, marker::PhantomData};

#[cfg(feature = "mpi")]
use super::mpi_world::MpiWorld;

/// Why ranks cannot work together.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommunicatorError {
    /// Launched as many ranks, but the program knows no MPI: every rank would do the whole job.
    #[error(
        "started by mpirun or srun as one of {} ranks, but this norn was built without MPI, so each would do the whole \
         job; build it with --features mpi, or start it without mpirun and srun",
        .ranks.map_or("several".to_owned(), |ranks| ranks.to_string())
    )]
    BuiltWithoutMpi {
        /// Number of ranks, if the launcher tells.
        ranks: Option<u64>,
    },
    /// MPI was initialised before, or lacks threads.
    #[error("MPI cannot be used: {0}")]
    Initialisation(&'static str),
    /// A rank that is not there.
    #[error("no rank {rank} to talk to, there are {size} and this is rank {this}")]
    NoSuchRank {
        /// What was asked for.
        rank: usize,
        /// This rank.
        this: usize,
        /// Number of ranks.
        size: usize,
    },
    /// A message that does not fit into memory.
    #[error("a message of {bytes} bytes does not fit into memory")]
    NoMemory {
        /// Its length.
        bytes: u64,
    },
}

/// All ranks of the job.
#[derive(Debug)]
pub struct Communicator {
    ranks: Ranks,
    one_thread: PhantomData<*const ()>,
}

#[derive(Debug)]
enum Ranks {
    Solo,
    #[cfg(feature = "mpi")]
    Mpi(MpiWorld),
}

impl Communicator {
    /// One rank, whatever the environment says.
    pub fn solo() -> Self {
        Self { ranks: Ranks::Solo, one_thread: PhantomData }
    }

    /// What the launcher asks for: MPI if mpirun or srun launched more than one rank (`OMPI_COMM_WORLD_SIZE`,
    /// `PMI_SIZE`; `PMIX_RANK` with `SLURM_STEP_NUM_TASKS`), else one rank. Under MPI a panic hook is installed that
    /// says which rank and host, then ends the job.
    ///
    /// Keep the value until the end of `main`: dropping it finalises MPI.
    ///
    /// # Errors
    /// Launched as several ranks in a build without MPI, or MPI cannot be initialised.
    pub fn from_environment() -> Result<Self, CommunicatorError> {
        match Launch::of(|name| std::env::var(name).ok()) {
            Launch::Alone => Ok(Self::solo()),
            #[cfg(feature = "mpi")]
            Launch::Ranks(_) => {
                Ok(Self { ranks: Ranks::Mpi(MpiWorld::initialise()?), one_thread: PhantomData })
            }
            #[cfg(not(feature = "mpi"))]
            Launch::Ranks(ranks) => Err(CommunicatorError::BuiltWithoutMpi { ranks }),
        }
    }

    /// Sets the greatest number of bytes sent in one piece (default 1 GiB; at least 1). All ranks must set the same.
    /// For tests of the cutting.
    #[cfg_attr(not(feature = "mpi"), expect(unused_variables, reason = "one rank sends nothing"))]
    pub fn with_piece_size(mut self, bytes: usize) -> Self {
        match &mut self.ranks {
            Ranks::Solo => {}
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.set_piece_size(bytes),
        }
        self
    }

    /// This rank, from 0.
    pub fn rank(&self) -> usize {
        match &self.ranks {
            Ranks::Solo => 0,
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.rank(),
        }
    }

    /// Number of ranks, at least 1.
    pub fn size(&self) -> usize {
        match &self.ranks {
            Ranks::Solo => 1,
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.size(),
        }
    }

    /// Whether this is the rank that writes results: rank 0.
    pub fn is_root(&self) -> bool {
        self.rank() == 0
    }

    /// Brings everybody's bytes to rank 0, in rank order; `None` on other ranks. All ranks must call it.
    ///
    /// # Errors
    /// A message does not fit into memory.
    pub fn gather_bytes(&self, bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, CommunicatorError> {
        match &self.ranks {
            Ranks::Solo => Ok(Some(vec![bytes.to_vec()])),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.gather(bytes),
        }
    }

    /// Brings rank 0's bytes to everybody; what other ranks hand in is replaced. All ranks must call it.
    ///
    /// # Errors
    /// The message does not fit into memory.
    pub fn broadcast_bytes(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CommunicatorError> {
        match &self.ranks {
            Ranks::Solo => Ok(bytes),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.broadcast(bytes),
        }
    }

    /// Sends bytes to another rank, which must receive them.
    ///
    /// # Errors
    /// No such rank, or this one.
    #[cfg_attr(not(feature = "mpi"), expect(unused_variables, reason = "one rank sends nothing"))]
    pub fn send_bytes(&self, to: usize, bytes: &[u8]) -> Result<(), CommunicatorError> {
        self.check_peer(to)?;
        match &self.ranks {
            Ranks::Solo => {}
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.send(to, bytes),
        }
        Ok(())
    }

    /// Waits for the next message of one rank, or of any (`None`); gives its sender and bytes.
    ///
    /// # Errors
    /// No such rank, this one, or nobody else; the message does not fit into memory.
    pub fn receive_bytes(&self, from: Option<usize>) -> Result<(usize, Vec<u8>), CommunicatorError> {
        self.check_peer(from.unwrap_or(usize::from(self.rank() == 0)))?;
        match &self.ranks {
            Ranks::Solo => Ok((0, Vec::new())),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.receive(from),
        }
    }

    /// The next message of any rank, if there is one; gives its sender and bytes. Does not wait.
    ///
    /// # Errors
    /// The message does not fit into memory.
    pub fn poll_bytes(&self) -> Result<Option<(usize, Vec<u8>)>, CommunicatorError> {
        match &self.ranks {
            Ranks::Solo => Ok(None),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.poll(),
        }
    }

    /// Waits until all ranks are here.
    pub fn barrier(&self) {
        match &self.ranks {
            Ranks::Solo => {}
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.barrier(),
        }
    }

    /// Ends all ranks at once with this exit code. Destructors do not run.
    pub fn abort(&self, code: i32) -> ! {
        match &self.ranks {
            Ranks::Solo => std::process::exit(code),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(_) => super::mpi_world::abort_job(code),
        }
    }

    /// Says on standard error what went wrong, under MPI with rank and host, then [`abort`](Self::abort)s.
    pub fn fail(&self, error: &dyn Display, code: i32) -> ! {
        let place = match &self.ranks {
            Ranks::Solo => String::new(),
            #[cfg(feature = "mpi")]
            Ranks::Mpi(world) => world.place(),
        };
        // One write: mpirun mixes what ranks and MPI say piece by piece.
        let _ = std::io::stderr().write_all(format!("norn: {place}{error}\n").as_bytes());
        self.abort(code)
    }

    fn check_peer(&self, rank: usize) -> Result<(), CommunicatorError> {
        let (this, size) = (self.rank(), self.size());
        if rank < size && rank != this {
            Ok(())
        } else {
            Err(CommunicatorError::NoSuchRank { rank, this, size })
        }
    }
}

/// How this process was started.
#[derive(Debug, PartialEq, Eq)]
enum Launch {
    Alone,
    /// As one of several ranks; how many, if the launcher tells.
    Ranks(Option<u64>),
}

impl Launch {
    /// Reads the launcher's variables. Open MPI sets OMPI_COMM_WORLD_SIZE; MPICH, Intel MPI and srun --mpi=pmi2 set
    /// PMI_SIZE; srun --mpi=pmix sets PMIX_RANK, and srun always SLURM_STEP_NUM_TASKS.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name| variable(name).and_then(|text| text.trim().parse::<u64>().ok());
        let size = number("OMPI_COMM_WORLD_SIZE").or_else(|| number("PMI_SIZE"));
        let size = match size {
            Some(size) => Some(size),
            None if variable("PMIX_RANK").is_none() => return Self::Alone,
            None => number("SLURM_STEP_NUM_TASKS"),
        };
        if size.is_some_and(|size| size <= 1) { Self::Alone } else { Self::Ranks(size) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_launcher_is_known_by_its_variables() {
        for (variables, launch) in [
            (&[][..], Launch::Alone),
            (&[("SLURM_NTASKS", "8"), ("SLURM_PROCID", "0")], Launch::Alone),
            (&[("OMPI_COMM_WORLD_SIZE", "3")], Launch::Ranks(Some(3))),
            (&[("OMPI_COMM_WORLD_SIZE", "1"), ("PMIX_RANK", "0")], Launch::Alone),
            (&[("PMI_SIZE", "2")], Launch::Ranks(Some(2))),
            (&[("PMIX_RANK", "0"), ("SLURM_STEP_NUM_TASKS", "4")], Launch::Ranks(Some(4))),
            (&[("PMIX_RANK", "0"), ("SLURM_STEP_NUM_TASKS", "1")], Launch::Alone),
            (&[("PMIX_RANK", "0")], Launch::Ranks(None)),
            (&[("OMPI_COMM_WORLD_SIZE", "many")], Launch::Alone),
        ] {
            let lookup =
                |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            assert_eq!(Launch::of(lookup), launch, "{variables:?}");
        }
    }

    #[test]
    fn one_rank_talks_to_itself_only() {
        let alone = Communicator::solo().with_piece_size(1);
        assert_eq!((alone.rank(), alone.size(), alone.is_root()), (0, 1, true));
        assert_eq!(alone.gather_bytes(b"abc").unwrap(), Some(vec![b"abc".to_vec()]));
        assert_eq!(alone.broadcast_bytes(b"abc".to_vec()).unwrap(), b"abc");
        alone.barrier();
        for result in
            [alone.send_bytes(0, b""), alone.send_bytes(1, b""), alone.receive_bytes(None).map(drop)]
        {
            assert!(matches!(result, Err(CommunicatorError::NoSuchRank { this: 0, size: 1, .. })));
        }
    }
}
