//! stub until the real one lands
pub struct Reference;
