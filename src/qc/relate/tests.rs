use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Two alleles a site.
type Haplotypes = Vec<(u8, u8)>;

/// One VCF a person; `haplotypes` are the two alleles of each site on chr1, then on chrX.
fn write(dir: &TempDir, name: &str, haplotypes: &[(u8, u8)], frequencies: &[f64]) -> PathBuf {
    let mut text =
        format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n");
    for (i, ((a, b), f)) in haplotypes.iter().zip(frequencies).enumerate() {
        let contig = if i % 10 == 9 { "chrX" } else { "chr1" };
        let (n, column) = (i + 1, ["30,0:0/0", "15,15:0/1", "0,30:1/1"][usize::from(a + b)]);
        text.push_str(&format!("{contig}\t{n}\t.\tA\tC\t.\t.\tAF={f}\tAD:GT:GQ\t{column}:60\n"));
    }
    let path = dir.path().join(format!("{name}.vcf"));
    std::fs::write(&path, text).unwrap();
    path
}

/// The same from about as many reads a site, each of quality 20, as a caller has it: the likeliest genotype, its quality,
/// and likelihoods.
fn write_shallow(
    dir: &TempDir,
    name: &str,
    haplotypes: &[(u8, u8)],
    frequencies: &[f64],
    depth: u32,
) -> PathBuf {
    let mut random = Random(name.bytes().map(u64::from).sum());
    let mut text =
        format!("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{name}\n");
    for (i, ((a, b), f)) in haplotypes.iter().zip(frequencies).enumerate() {
        let reads = (f64::from(2 * depth) * random.next()).round() as u32;
        let (mut bases, mut likelihoods) = ([0u32; 2], [0.0f64; 3]);
        for _ in 0..reads {
            let allele = if random.next() < 0.5 { *a } else { *b };
            let seen = usize::from(if random.next() < 0.01 { 1 - allele } else { allele });
            bases[seen] += 1;
            for (g, likelihood) in likelihoods.iter_mut().enumerate() {
                let share: f64 = [0.01, 0.5, 0.99][g];
                let seen_as = if seen == 1 { share } else { 1.0 - share };
                *likelihood -= 10.0 * seen_as.log10();
            }
        }
        let least = likelihoods.iter().copied().fold(f64::INFINITY, f64::min);
        let phreds = likelihoods.map(|l| (l - least).round() as u32);
        let likeliest = (0..3).find(|&g| phreds[g] == 0).unwrap();
        let quality = (0..3).filter(|&g| g != likeliest).map(|g| phreds[g]).min().unwrap().min(99);
        let genotype = if reads == 0 { "./." } else { ["0/0", "0/1", "1/1"][likeliest] };
        let ([r, a], [x, y, z]) = (bases, phreds);
        text.push_str(&format!(
            "chr1\t{}\t.\tA\tC\t.\t.\tAF={f}\tGT:AD:GQ:PL\t{genotype}:{r},{a}:{quality}:{x},{y},{z}\n",
            i + 1
        ));
    }
    let path = dir.path().join(format!("{name}.vcf"));
    std::fs::write(&path, text).unwrap();
    path
}

/// Two founders, two children of them, a half sibling by a third founder; each with a VCF.
fn family(dir: &TempDir) -> Vec<PathBuf> {
    let (people, frequencies) = people();
    people.iter().map(|(name, haplotypes)| write(dir, name, haplotypes, &frequencies)).collect()
}

fn people() -> ([(&'static str, Haplotypes); 5], Vec<f64>) {
    let mut random = Random(17);
    let frequencies: Vec<f64> = (0..6000).map(|_| 0.02 + 0.96 * random.next()).collect();
    let mut founder = || -> Vec<(u8, u8)> {
        let mut allele = |f: f64| u8::from(random.next() < f);
        frequencies.iter().map(|&f| (allele(f), allele(f))).collect()
    };
    let (father, mother, other) = (founder(), founder(), founder());
    let mut child = |a: &[(u8, u8)], b: &[(u8, u8)]| -> Vec<(u8, u8)> {
        let mut pick = |of: (u8, u8)| if random.next() < 0.5 { of.0 } else { of.1 };
        a.iter().zip(b).map(|(&a, &b)| (pick(a), pick(b))).collect()
    };
    let (first, second, half) = (child(&father, &mother), child(&father, &mother), child(&father, &other));
    let people =
        [("father", father), ("mother", mother), ("first", first), ("second", second), ("half", half)];
    (people, frequencies)
}

fn pedigree(dir: &TempDir, text: &str) -> Result<Pedigree, pedigree::PedigreeError> {
    let path = dir.path().join("a.ped");
    std::fs::write(&path, text).unwrap();
    Pedigree::read(&path)
}

const PED: &str = "F\tfather\t0\t0\t1\t1\nF\tmother\t0\t0\t2\t1\nF\tfirst\tfather\tmother\t1\t1\n\
                   F\tsecond\tfather\tmother\t2\t1\nF\thalf\tfather\t0\t1\t1\n";

/// Asserts that the relations of all pairs of the family are found.
fn assert_family(fingerprints: &Fingerprints, pairs: &[Pair]) {
    let name = |place: usize| fingerprints.samples()[place].name.as_str();
    let found: Vec<_> = pairs.iter().map(|p| (name(p.a), name(p.b), p.relation, p.is_mismatch())).collect();
    use Relation::*;
    let ok = Some(false);
    assert_eq!(
        found,
        [
            ("father", "mother", Unrelated, ok),
            ("father", "first", ParentChild, ok),
            ("father", "second", ParentChild, ok),
            ("father", "half", ParentChild, ok),
            ("mother", "first", ParentChild, ok),
            ("mother", "second", ParentChild, ok),
            ("mother", "half", Unrelated, ok),
            ("first", "second", Sibling, ok),
            ("first", "half", SecondDegree, ok),
            ("second", "half", SecondDegree, ok),
        ]
    );
}

#[test]
fn relations_in_a_family_are_found_and_as_the_pedigree_says() {
    let dir = tempfile::tempdir().unwrap();
    let fingerprints = Fingerprints::read(&family(&dir)).unwrap();
    let pairs = pairs(&fingerprints, Some(&pedigree(&dir, PED).unwrap()));
    assert_family(&fingerprints, &pairs);
    for pair in &pairs {
        let expected = pair.expected.unwrap().relatedness;
        assert!((pair.relatedness - expected).abs() < 0.09, "{pair:?}");
        assert_eq!((pair.n, pair.ibs0 + pair.ibs1() + pair.ibs2), (5400, 5400));
        // Where nothing is in doubt, the likelihoods say what the counts say.
        let (joint, sites) = (pair.joint, f64::from(pair.n));
        assert_eq!(joint.sites, pair.n);
        assert!((joint.relatedness() - pair.relatedness).abs() < 1e-6, "{pair:?}");
        assert!((joint.ibs0() * sites - f64::from(pair.ibs0)).abs() < 1e-3, "{pair:?}");
    }
}

#[test]
fn relations_are_found_at_any_depth() {
    let (people, frequencies) = people();
    for depth in [3, 7, 15] {
        let dir = tempfile::tempdir().unwrap();
        let files: Vec<PathBuf> = people
            .iter()
            .map(|(name, haplotypes)| write_shallow(&dir, name, haplotypes, &frequencies, depth))
            .collect();
        let fingerprints = Fingerprints::read(&files).unwrap();
        let pairs = pairs(&fingerprints, Some(&pedigree(&dir, PED).unwrap()));
        assert_family(&fingerprints, &pairs);
        for pair in &pairs {
            let (expected, found) = (pair.expected.unwrap().relatedness, pair.joint.relatedness());
            assert!((found - expected).abs() < 0.09, "{depth}x: {found} {pair:?}");
        }
    }
}

#[test]
fn few_sites_tell_one_person_from_two() {
    let dir = tempfile::tempdir().unwrap();
    let (people, frequencies) = people();
    let n = 30;
    let write = |of: usize| {
        let (name, haplotypes) = &people[of];
        write_shallow(&dir, name, &haplotypes[..n], &frequencies[..n], 20)
    };
    let (father, mother) = (write(0), write(1));
    // The mother's file under the father's name.
    let renamed = dir.path().join("renamed.vcf");
    let text = std::fs::read_to_string(&mother).unwrap().replace("\tmother\n", "\tfather\n");
    std::fs::write(&renamed, text).unwrap();
    for (files, mismatch) in [
        ([&father, &father], Some(false)),
        ([&father, &renamed], Some(true)),
        // Two names are not expected to be one person.
        ([&father, &mother], None),
    ] {
        let fingerprints = Fingerprints::read(&files.map(PathBuf::clone)).unwrap();
        let pair = &pairs(&fingerprints, None)[0];
        assert_eq!((pair.relation, pair.is_mismatch()), (Relation::Unknown, mismatch), "{pair:?}");
    }
    // By hand, of one site with frequency 0.1 where both are homozygous for the reference: 1 / 0.9^2 = 1.235.
    let site = |name: &str| {
        let path = dir.path().join(format!("{name}.one.vcf"));
        let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
        std::fs::write(&path, format!("{head}1\t1\t.\tA\tC\t.\t.\tAF=0.1\tGT:PL\t0/0:0,200,255\n")).unwrap();
        path
    };
    let pair = &pairs(&Fingerprints::read(&[site("a"), site("b")]).unwrap(), None)[0];
    assert!((pair.odds.unwrap() - 1.2345679f64.log10()).abs() < 1e-6, "{pair:?}");
}

#[test]
fn a_swap_is_a_mismatch() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = family(&dir);
    // The mother's file under the first child's name.
    let text = std::fs::read_to_string(&files[1]).unwrap().replace("\tmother\n", "\tfirst\n");
    std::fs::write(&files[2], text).unwrap();
    files.remove(1);
    let fingerprints = Fingerprints::read(&files).unwrap();
    let pairs = pairs(&fingerprints, Some(&pedigree(&dir, PED).unwrap()));
    let swapped: Vec<_> = pairs.iter().map(Pair::is_mismatch).collect();
    // father-first is unrelated, first-second parent and child, first-half unrelated.
    assert_eq!(swapped, [true, false, false, true, true, false].map(Some));
    let table = text::pairs(&fingerprints, &pairs);
    assert_eq!(table.matches("MISMATCH").count(), 3);
    assert!(table.lines().all(|line| line.split('\t').count() == 25), "{table}");
    let table = text::samples(&fingerprints, None);
    assert!(table.lines().all(|line| line.split('\t').count() == 25), "{table}");
}

#[test]
fn one_person_twice_is_identical_and_few_sites_say_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let files = family(&dir);
    let twice = Fingerprints::read(&[files[0].clone(), files[0].clone()]).unwrap();
    let pair = &pairs(&twice, None)[0];
    assert_eq!(
        (pair.relation, pair.relatedness, pair.is_mismatch()),
        (Relation::Identical, 1.0, Some(false))
    );
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let few: String = text.lines().take(80).map(|line| format!("{line}\n")).collect();
    std::fs::write(&files[0], few).unwrap();
    let few = Fingerprints::read(&files[..2]).unwrap();
    assert_eq!(pairs(&few, None)[0].relation, Relation::Unknown);
}

#[test]
fn bad_files_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let good = family(&dir).remove(0);
    let path = dir.path().join("bad.vcf");
    let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ts\n";
    for (text, told) in [
        (String::new(), "a sample's column"),
        ("hello\n".into(), "line 1: this is no VCF"),
        ("##fileformat=VCFv4.2\n#CHROM\tPOS\n1\t2\n".into(), "line 3: a fingerprint has"),
        (format!("{head}1\t2\n"), "line 3: the line has not"),
        (format!("{head}chr1\t1\t.\tA\tC\t.\t.\t.\tGT:DP\t0/0:x\n"), "line 3: DP"),
        (format!("{head}chr1\t1\t.\tA\tC\t.\t.\t.\tGT:AD\t0/0:1,x\n"), "line 3: AD"),
        (format!("{head}chr1\t1\t.\tA\tC\t.\t.\t.\tGT:PL\t0/0:0,-1,3\n"), "line 3: PL"),
        (format!("{head}chr7\t1\t.\tA\tC\t.\t.\t.\tGT\t0/0\n"), "no site in common"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = Fingerprints::read(&[good.clone(), path.clone()]).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn pedigrees_say_what_they_should() {
    let dir = tempfile::tempdir().unwrap();
    let text =
        "F g1 0 0 1 1\nF g2 0 0 2 1\nF p g1 g2 1 1\nF u g1 g2 2 1\nF q 0 0 2 1\nF c p q 1 2\nF d u 0 1\n";
    let pedigree_ = pedigree(&dir, text).unwrap();
    for (a, b, relatedness, relation) in [
        ("g1", "g2", 0.0, Relation::Unrelated),
        ("g1", "p", 0.5, Relation::ParentChild),
        ("p", "u", 0.5, Relation::Sibling),
        ("g1", "c", 0.25, Relation::SecondDegree),
        ("u", "c", 0.25, Relation::SecondDegree),
        ("c", "d", 0.125, Relation::Unrelated),
        ("d", "c", 0.125, Relation::Unrelated),
    ] {
        assert_eq!(pedigree_.expected(a, b), Some(Expected { relatedness, relation }), "{a} {b}");
    }
    assert_eq!(pedigree_.expected("c", "nobody"), None);
    for (text, told) in [
        ("F a 0\n", "line 1"),
        ("F a 0 0 1\nF a 0 0 1\n", "line 2: this person"),
        ("F a b 0 1\nF b a 0 1\n", "its own ancestor"),
    ] {
        let error = pedigree(&dir, text).unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
}
