//! Whatever stands in a record, trios are judged and weighed, or the record is refused.

use proptest::prelude::*;

use super::Gate;
use super::denovo::{Denovo, Screen};
use super::mendelian::{Judge, Mendelian, Modes};
use super::pedigree::Trio;
use super::rules::Rules;
use super::settings::{Model, NoiseLevels, ParentsBy, Scale, Settings, regions_of_x};
use super::survey::Survey;
use crate::formats::vcf::header::Header;
use crate::formats::vcf::record::Record;
use crate::genome::contigs::Build;
use crate::records::pipeline::Revise;

const HEADER: &str = "##fileformat=VCFv4.2\n##contig=<ID=X,length=156040895>\n\
    ##FORMAT=<ID=GT,Number=1,Type=String,Description=\"\">\n\
    ##FORMAT=<ID=PL,Number=G,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=QS,Number=R,Type=Integer,Description=\"\">\n\
    ##FORMAT=<ID=AD,Number=R,Type=Integer,Description=\"\">\n\
    #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\n";

const MODELS: [Model; 5] = [
    Model::Alleles(ParentsBy::Qualities),
    Model::Alleles(ParentsBy::Depths),
    Model::Alleles(ParentsBy::Likelihoods),
    Model::DeNovoGear,
    Model::Genotypes,
];

const SCALES: [Scale; 3] = [Scale::Log, Scale::Phred, Scale::Probability];

/// Every step in every form.
fn steps() -> Vec<Box<dyn Revise>> {
    let header = Header::parse(HEADER.as_bytes()).unwrap();
    let trio = |child, father, mother, has_one_x| Trio { child, father, mother, has_one_x };
    let trios = vec![trio(2, 0, 1, true), trio(3, 0, 1, false)];
    let all = Modes::parse("adS").unwrap();
    let mut steps: Vec<Box<dyn Revise>> = Vec::new();
    for (number, model) in MODELS.into_iter().enumerate() {
        for strict in [true, false] {
            let settings = Settings {
                model,
                denovogear_priors: model == Model::DeNovoGear,
                strictly_novel: strict,
                mutation_rate: 1e-8,
                noise: NoiseLevels::default(),
                least_score: 0.0,
                force_depths: strict,
                score_tag: "DNM".to_owned(),
                scale: if model == Model::Genotypes { Scale::Flag } else { SCALES[number % 3] },
                allele_tag: "VA".to_owned(),
                share_tag: "VAF".to_owned(),
                x: regions_of_x("GRCh38").unwrap(),
                strict,
            };
            let denovo = Denovo::new(settings, trios.clone(), &header).unwrap();
            if strict {
                steps.push(Box::new(Screen::new(denovo, Gate::new(None))));
            } else {
                let judge = Judge::new(trios.clone(), Rules::complete(Build::Grch38), &header).unwrap();
                steps.push(Box::new(Survey::new(judge, denovo, Gate::new(None), all, 0.5)));
            }
        }
    }
    let rules = Rules::of_build(Build::Grch37);
    let judge = Judge::as_bcftools(trios, rules, true, &header).unwrap();
    steps.push(Box::new(Mendelian::new(judge, Gate::new(None), all)));
    steps
}

/// A cell of likelihoods, qualities or depths: mostly so many as there should be, else too few, too many, missing, not
/// numbers or beyond 32 bits.
fn numbers(length: usize) -> impl Strategy<Value = String> {
    let value = || prop_oneof![Just(0i64), 0..400i64, Just(i64::from(i32::MAX)), any::<i64>()];
    let joined = |values: Vec<i64>| values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    prop_oneof![
        8 => prop::collection::vec(0..400i64, length).prop_map(joined),
        2 => prop::collection::vec(value(), length).prop_map(joined),
        1 => prop::collection::vec(value(), 1..12).prop_map(joined),
        1 => "[0-9.,-]{0,12}",
        1 => Just(".".to_owned()),
    ]
}

fn genotypes() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[0-1.][/|][0-1.]",
        1 => "[0-5.][/|][0-5.]",
        1 => "[0-9./|]{0,6}",
        1 => "[0-4.]",
        1 => Just("63/64".to_owned()),
    ]
}

/// The fields of a sample by their keys.
fn sample(alleles: usize) -> impl Strategy<Value = [String; 4]> {
    let genotypes_of = alleles * (alleles + 1) / 2;
    (genotypes(), numbers(genotypes_of), numbers(alleles), numbers(alleles))
        .prop_map(|(a, b, c, d)| [a, b, c, d])
}

fn lines() -> impl Strategy<Value = String> {
    let alternates = prop_oneof![
        3 => Just("C".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just("<*>".to_owned()),
        2 => Just("C,*,<*>".to_owned()),
        2 => Just("C,G,T,AC,<DEL>".to_owned()),
        1 => "[ACGT*,<>]{0,9}",
    ];
    let keys = prop_oneof![
        3 => Just(vec![0, 1, 2, 3]),
        1 => prop::sample::subsequence(vec![0, 1, 2, 3], 0..=4).prop_shuffle(),
    ];
    let places = prop_oneof![
        Just(("X", 5_000_000u64)),
        Just(("X", 5)),
        Just(("1", 0)),
        Just(("", u64::from(u32::MAX)))
    ];
    let samples = alternates.prop_flat_map(|alternates| {
        let alleles = 1 + alternates.split(',').count();
        let count = prop_oneof![9 => Just(4usize), 1 => 3..=5usize];
        (Just(alternates), count.prop_flat_map(move |count| prop::collection::vec(sample(alleles), count)))
    });
    (places, samples, keys).prop_map(|((contig, position), (alternates, samples), keys)| {
        let names = keys.iter().map(|&key| ["GT", "PL", "QS", "AD"][key]).collect::<Vec<_>>().join(":");
        let mut line = format!("{contig}\t{position}\t.\tA\t{alternates}\t.\t.\t.\t{names}");
        for fields in samples {
            line.push('\t');
            line += &keys.iter().map(|&key| fields[key].as_str()).collect::<Vec<_>>().join(":");
        }
        line
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_record_makes_a_step_panic(line in lines()) {
        thread_local!(static STEPS: Vec<Box<dyn Revise>> = steps());
        STEPS.with(|steps| {
            for step in steps {
                let mut record = Record::parse(line.as_bytes()).unwrap();
                // What is taken stays a record of as many samples.
                if let Ok(true) = step.revise(&mut record) {
                    let mut text = Vec::new();
                    record.write(&mut text);
                    let again = Record::parse(&text).unwrap();
                    assert_eq!(again.sample_texts().count(), line.split('\t').count() - 9);
                }
            }
        });
    }

    #[test]
    fn children_of_their_parents_have_no_error(alleles in prop::collection::vec(0usize..4, 4), pick in any::<(bool, bool)>()) {
        // A child made of its parents' alleles has no error.
        let child = (alleles[usize::from(pick.0)], alleles[2 + usize::from(pick.1)]);
        let line = format!(
            "1\t5\t.\tA\tC,G,T\t.\t.\t.\tGT\t{}/{}\t{}|{}\t{}/{}\t0/0",
            alleles[0], alleles[1], alleles[2], alleles[3], child.0, child.1
        );
        let header = Header::parse(HEADER.as_bytes()).unwrap();
        let trios = vec![Trio { child: 2, father: 0, mother: 1, has_one_x: true }];
        let judge = Judge::new(trios, Rules::complete(Build::Grch38), &header).unwrap();
        let modes = Modes::parse("E").unwrap();
        let step = Mendelian::new(judge, Gate::new(None), modes);
        let mut record = Record::parse(line.as_bytes()).unwrap();
        prop_assert!(step.revise(&mut record).unwrap(), "{}", line);
    }
}
