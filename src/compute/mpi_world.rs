//! The ranks of an MPI job, for [`Communicator`](super::communicator::Communicator). Feature `mpi` only.
//!
//! MPI's own error handler stays `MPI_ERRORS_ARE_FATAL`: a failed call ends the job.

use std::{io::Write, panic::PanicHookInfo, time::Duration};

use mpi::{
    Threading,
    environment::Universe,
    topology::{Process, SimpleCommunicator},
    traits::{Communicator as _, CommunicatorCollectives as _, Destination as _, Root as _, Source as _},
};

use super::communicator::CommunicatorError;

/// An initialised MPI; finalised when dropped.
pub(super) struct MpiWorld {
    world: SimpleCommunicator,
    piece_size: usize,
    _universe: Universe,
}

impl MpiWorld {
    /// Initialises MPI for calls from this thread, and installs the panic hook.
    pub(super) fn initialise() -> Result<Self, CommunicatorError> {
        let (universe, threading) = mpi::initialize_with_threading(Threading::Funneled)
            .ok_or(CommunicatorError::Initialisation("it was initialised before"))?;
        if threading < Threading::Funneled {
            return Err(CommunicatorError::Initialisation("this MPI library does not support threads"));
        }
        let world = universe.world();
        let place = place(&world);
        std::panic::set_hook(Box::new(move |panic| end_job(&place, panic)));
        Ok(Self { world, piece_size: PIECE_SIZE, _universe: universe })
    }

    pub(super) fn set_piece_size(&mut self, bytes: usize) {
        self.piece_size = bytes.clamp(1, PIECE_SIZE);
    }

    pub(super) fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    pub(super) fn size(&self) -> usize {
        self.world.size() as usize
    }

    pub(super) fn barrier(&self) {
        self.world.barrier();
    }

    /// `rank 2 on node17: `
    pub(super) fn place(&self) -> String {
        place(&self.world)
    }

    /// One rank after another: rank 0 holds what it gathers once, and no more.
    pub(super) fn gather(&self, bytes: &[u8]) -> Result<Option<Vec<Vec<u8>>>, CommunicatorError> {
        if self.rank() != 0 {
            self.send_tagged(0, bytes, GATHER);
            return Ok(None);
        }
        let others = (1..self.size()).map(|rank| {
            let process = self.process(rank);
            let (length, _) = process.receive_with_tag::<u64>(GATHER.length);
            self.receive_body(&process, length, GATHER)
        });
        std::iter::once(Ok(bytes.to_vec())).chain(others).collect::<Result<_, _>>().map(Some)
    }

    pub(super) fn broadcast(&self, mut bytes: Vec<u8>) -> Result<Vec<u8>, CommunicatorError> {
        let root = self.process(0);
        let mut length = bytes.len() as u64;
        root.broadcast_into(&mut length);
        if self.rank() != 0 {
            bytes = allocate(length)?;
        }
        for piece in bytes.chunks_mut(self.piece_size) {
            root.broadcast_into(piece);
        }
        Ok(bytes)
    }

    pub(super) fn send(&self, to: usize, bytes: &[u8]) {
        self.send_tagged(to, bytes, DIRECT);
    }

    pub(super) fn receive(&self, from: Option<usize>) -> Result<(usize, Vec<u8>), CommunicatorError> {
        let (length, status) = match from {
            Some(rank) => self.process(rank).receive_with_tag::<u64>(DIRECT.length),
            None => self.world.any_process().receive_with_tag::<u64>(DIRECT.length),
        };
        let from = status.source_rank() as usize;
        let bytes = self.receive_body(&self.process(from), length, DIRECT)?;
        Ok((from, bytes))
    }

    pub(super) fn poll(&self) -> Result<Option<(usize, Vec<u8>)>, CommunicatorError> {
        match self.world.any_process().immediate_probe_with_tag(DIRECT.length) {
            Some(status) => self.receive(Some(status.source_rank() as usize)).map(Some),
            None => Ok(None),
        }
    }

    fn process(&self, rank: usize) -> Process<'_> {
        self.world.process_at_rank(rank as mpi::Rank)
    }

    fn send_tagged(&self, to: usize, bytes: &[u8], tags: Tags) {
        let process = self.process(to);
        process.send_with_tag(&(bytes.len() as u64), tags.length);
        for piece in bytes.chunks(self.piece_size) {
            process.send_with_tag(piece, tags.body);
        }
    }

    fn receive_body(
        &self,
        from: &Process<'_>,
        length: u64,
        tags: Tags,
    ) -> Result<Vec<u8>, CommunicatorError> {
        let mut bytes = allocate(length)?;
        for piece in bytes.chunks_mut(self.piece_size) {
            from.receive_into_with_tag(piece, tags.body);
        }
        Ok(bytes)
    }
}

impl std::fmt::Debug for MpiWorld {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MpiWorld({} of {})", self.rank(), self.size())
    }
}

/// Ends all ranks with this exit code. Should MPI hang over it, this rank dies after a while, which the launcher sees.
pub(super) fn abort_job(code: i32) -> ! {
    let watchdog = || {
        std::thread::sleep(Duration::from_secs(5));
        std::process::abort();
    };
    let _ = std::thread::Builder::new().spawn(watchdog);
    SimpleCommunicator::world().abort(code)
}

/// Greatest piece of a message: 1 GiB, below MPI's `int` counts.
const PIECE_SIZE: usize = 1 << 30;

/// Tags of a message's length and of its pieces.
#[derive(Clone, Copy)]
struct Tags {
    length: mpi::Tag,
    body: mpi::Tag,
}

/// Point to point.
const DIRECT: Tags = Tags { length: 1, body: 2 };
/// Not taken for a direct message by a rank that receives from anybody.
const GATHER: Tags = Tags { length: 3, body: 4 };

fn allocate(length: u64) -> Result<Vec<u8>, CommunicatorError> {
    let error = CommunicatorError::NoMemory { bytes: length };
    let mut bytes = Vec::new();
    match usize::try_from(length).map(|length| (length, bytes.try_reserve_exact(length))) {
        Ok((length, Ok(()))) => bytes.resize(length, 0),
        _ => return Err(error),
    }
    Ok(bytes)
}

fn place(world: &SimpleCommunicator) -> String {
    let host = mpi::environment::processor_name().unwrap_or_else(|_| "an unnamed host".to_owned());
    format!("rank {} on {host}: ", world.rank())
}

/// The panic hook: without it the other ranks would wait for this one for ever.
fn end_job(place: &str, panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let location = panic.location().map(|location| format!(" at {location}")).unwrap_or_default();
    // One write: mpirun mixes what ranks and MPI say piece by piece.
    let line = format!("norn: {place}panic{location}: {message}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if !mpi::environment::is_finalized() {
        abort_job(1);
    }
}
