//! Who does the work: threads of this process, each waiting for a task's process, and the ranks of an MPI job that do the same
//! on their nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::execute::{Ending, Order, Outcome, execute, say};
use super::ledger::{Effort, Failure};
use super::schedule::Room;
use crate::compute::communicator::{Communicator, CommunicatorError};

/// The nodes of a job, seen from rank 0.
#[derive(Debug)]
pub struct Crew<'c> {
    ranks: &'c Communicator,
    here: Hands,
    rooms: Vec<Room>,
}

/// Tasks that run in this process.
#[derive(Debug)]
struct Hands {
    sender: Sender<Outcome>,
    receiver: Receiver<Outcome>,
    give_up: Arc<AtomicBool>,
    running: usize,
}

/// What rank 0 tells others.
#[derive(Debug, Serialize, Deserialize)]
enum Word {
    Do(Box<Order>),
    GiveUp,
    GoHome,
}

/// What others tell rank 0.
#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Have { threads: usize, memory: u64 },
    Came(Box<Outcome>),
}

/// How long nobody looks for messages of other ranks.
const PAUSE: Duration = Duration::from_millis(2);

impl<'c> Crew<'c> {
    /// Rank 0 of the job, with room for tasks here; waits for what others have.
    ///
    /// # Errors
    /// A rank says what is not understood.
    pub fn gather(ranks: &'c Communicator, room: Room) -> Result<Self, CommunicatorError> {
        let own = encode(&Answer::Have { threads: room.threads, memory: room.memory });
        let told = ranks.gather_bytes(&own)?.unwrap_or_default();
        let rooms = told.iter().map(|bytes| match serde_json::from_slice(bytes) {
            Ok(Answer::Have { threads, memory }) => Room { threads, memory },
            // Ranks of one binary understand each other.
            _ => Room { threads: 0, memory: 0 },
        });
        Ok(Self { ranks, here: Hands::new(), rooms: rooms.collect() })
    }

    /// What each rank has.
    pub fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// Hands a task to a rank.
    ///
    /// # Errors
    /// There is no such rank.
    pub fn hand(&mut self, rank: usize, order: Order) -> Result<(), CommunicatorError> {
        if rank == 0 {
            self.here.start(order);
            return Ok(());
        }
        self.ranks.send_bytes(rank, &encode(&Word::Do(Box::new(order))))
    }

    /// What came of a task, if something did within a while.
    ///
    /// # Errors
    /// A message does not fit into memory.
    pub fn came(&mut self, wait: Duration) -> Result<Option<Outcome>, CommunicatorError> {
        if self.ranks.size() == 1 {
            return Ok(self.here.came(wait));
        }
        let begun = std::time::Instant::now();
        loop {
            if let Some((_, bytes)) = self.ranks.poll_bytes()?
                && let Ok(Answer::Came(outcome)) = serde_json::from_slice(&bytes)
            {
                return Ok(Some(*outcome));
            }
            if let Some(outcome) = self.here.came(PAUSE) {
                return Ok(Some(outcome));
            }
            if begun.elapsed() >= wait {
                return Ok(None);
            }
        }
    }

    /// All tasks are to be given up.
    ///
    /// # Errors
    /// None of a job that lives.
    pub fn give_up(&self) -> Result<(), CommunicatorError> {
        self.here.give_up.store(true, Ordering::Relaxed);
        (1..self.ranks.size()).try_for_each(|rank| self.ranks.send_bytes(rank, &encode(&Word::GiveUp)))
    }

    /// The work is over.
    ///
    /// # Errors
    /// None of a job that lives.
    pub fn go_home(self) -> Result<(), CommunicatorError> {
        (1..self.ranks.size()).try_for_each(|rank| self.ranks.send_bytes(rank, &encode(&Word::GoHome)))
    }
}

/// Any other rank: does what it is told until the work is over.
///
/// # Errors
/// A message does not fit into memory.
pub fn serve(ranks: &Communicator, room: Room) -> Result<(), CommunicatorError> {
    ranks.gather_bytes(&encode(&Answer::Have { threads: room.threads, memory: room.memory }))?;
    let mut hands = Hands::new();
    loop {
        if let Some((_, bytes)) = ranks.poll_bytes()? {
            match serde_json::from_slice(&bytes) {
                Ok(Word::Do(order)) => hands.start(*order),
                Ok(Word::GiveUp) => hands.give_up.store(true, Ordering::Relaxed),
                Ok(Word::GoHome) | Err(_) => return Ok(()),
            }
        }
        if let Some(outcome) = hands.came(PAUSE) {
            ranks.send_bytes(0, &encode(&Answer::Came(Box::new(outcome))))?;
        }
    }
}

impl Hands {
    fn new() -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, give_up: Arc::new(AtomicBool::new(false)), running: 0 }
    }

    fn start(&mut self, order: Order) {
        let (sender, give_up) = (self.sender.clone(), Arc::clone(&self.give_up));
        let (task, log) = (order.task, order.log.clone());
        let thread = std::thread::Builder::new().name("task".to_owned()).spawn(move || {
            // Nobody listens only when the run is over.
            let _ = sender.send(execute(&order, &give_up));
        });
        if let Err(error) = thread {
            say(&log, error);
            let ending = Ending::Failed { failure: Failure::File, killed: true };
            let _ = self.sender.send(Outcome { task, effort: Effort::default(), ending });
        }
        self.running += 1;
    }

    fn came(&mut self, wait: Duration) -> Option<Outcome> {
        if self.running == 0 {
            std::thread::sleep(wait);
            return None;
        }
        match self.receiver.recv_timeout(wait) {
            Ok(outcome) => {
                self.running -= 1;
                Some(outcome)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    // Strings and numbers, which JSON can write.
    serde_json::to_vec(value).unwrap_or_default()
}
