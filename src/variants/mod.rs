//! Variants between the caller and the annotation: normalised, filtered, tagged, merged and compared, in one pass.

pub mod norm;
pub mod pipeline;
