//! A night's sequencing output: many samples through the commands of this binary, with a ledger of what was done.
//!
//! [`config`] reads `batch.toml`, [`sheet`] the samples and [`consent`] who has agreed; all that is wrong with them is found
//! before anything starts. [`plan`] cuts the night into tasks, each one command of this binary for one sample,
//! [`schedule`] decides which comes next where, [`run`] hands tasks to the nodes of a job ([`crew`]), and [`execute`] runs
//! one as a process of its own: what the system kills, or what crashes, takes nothing else with it, and its messages,
//! seconds and memory are its own.
//!
//! A task writes into a directory of its own, which gets its name when all is there; then [`ledger`] notes it, with what went in
//! and what came out. A task is not run again while both are what they were. [`audit`] chains the ledger's lines by their
//! hashes, [`lock`] keeps a second run out.
//!
//! [`status`] and [`report`] tell how the night went, [`crate_metadata`] as a Workflow Run RO-Crate, [`simulate`] how long a
//! night would take on more nodes.

pub mod audit;
pub mod config;
pub mod consent;
pub mod crate_metadata;
pub mod crew;
pub mod execute;
pub mod figures;
pub mod fingerprint;
pub mod history;
pub mod journal;
mod lanes;
pub mod ledger;
pub mod lock;
pub mod night;
pub mod orphan;
pub mod plan;
pub mod problems;
pub mod purge;
pub mod read_groups;
pub mod relations;
pub mod report;
pub mod run;
pub mod run_dir;
pub mod scan;
pub mod schedule;
pub mod sheet;
pub mod simulate;
pub mod status;
mod table;
pub mod traces;
