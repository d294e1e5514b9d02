//! VCF 4.x as text, and BCF 2 as another form of it.
//!
//! A record is its line: columns are views on the bytes, and what nobody touches is written as it stood. Tolerant of
//! what real files have (undeclared tags and contigs, missing trailing fields, CRLF); strictness is `variants validate`'s.

pub mod bcf;
pub mod extent;
pub mod header;
pub mod index;
pub mod number;
pub mod reader;
pub mod record;
pub mod span;
pub mod value;
pub mod writer;
