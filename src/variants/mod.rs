//! Variants between the caller and the annotation: normalised, filtered, tagged, merged and compared, in one pass.

pub mod expression;
pub mod pipeline;
pub mod query;
pub mod select;
