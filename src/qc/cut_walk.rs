//! Walks made reads as the pass walks a file that is cut anywhere: what tests of collectors by position stand on.

use super::Options;
use super::collector::{Collector, Context, Stretch};
use super::decode::Decoder;
use crate::formats::bam::Record;
use crate::formats::header::Header;

/// A sorted file with one contig of this length, without a reference.
pub fn context(length: u32, options: Options) -> Context {
    let text = format!("@HD\tVN:1.6\tSO:coordinate\n@SQ\tSN:chr1\tLN:{length}\n");
    Context {
        paths: Vec::new(),
        read_groups: Vec::new(),
        header: Header::parse(text.as_bytes()).unwrap(),
        reference: None,
        reference_contigs: vec![None],
        sorted: true,
        options,
    }
}

/// Walks records of the only contig (as BAM has them, by position) stretch by stretch between the cuts (ascending), each
/// stretch with a state of its own that goes through bytes, as between ranks; all states merged.
pub fn walk<C: Collector>(context: &Context, records: &[Vec<u8>], cuts: &[u32]) -> C {
    let mut borders = vec![0];
    borders.extend(cuts);
    borders.push(context.header.contigs[0].length);
    let mut decoder = Decoder::new(context, C::needs(context));
    let mut total = C::new(context);
    for border in borders.windows(2) {
        let stretch = Stretch { contig: 0, start: border[0], end: border[1] };
        let mut state = C::new(context);
        state.enter(stretch, context);
        for bytes in records {
            let read = decoder.decode(Record::new(bytes).unwrap(), 0, context).unwrap();
            if read.start >= stretch.end {
                break;
            } else if read.start >= stretch.start {
                state.observe(&read);
            } else if read.end > stretch.start && read.is_mapped() {
                state.lead_in(&read);
            }
        }
        state.leave(context).unwrap();
        let bytes = postcard::to_stdvec(&state).unwrap();
        total.merge(postcard::from_bytes(&bytes).unwrap());
    }
    total
}
