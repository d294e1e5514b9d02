//! `norn prs report`: pages that are complete and alone, numbers that are those of the tables, risks that are those
//! worked by hand.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::pages::{browse, references, tags};
use common::*;
use serde_json::Value as Json;

/// A directory with tables of five people and a panel of two populations, made by hand.
struct Made(tempfile::TempDir);

const PGS: &str = "PGS000001_hmPOS_GRCh38";

impl Made {
    /// `names` are the people's.
    fn new(names: &[&str]) -> Self {
        let made = Self(tempfile::tempdir().expect("directory"));
        let mut scores =
            "sampleset\tFID\tIID\tPGS\tSUM\tZ_MostSimilarPop\tZ_norm1\tZ_norm2\tpercentile_MostSimilarPop\n"
                .to_owned();
        let mut similar = "sampleset\tFID\tIID\tPC1\tPC2\tUnrelated\tMahalanobis_P_EUR\tMahalanobis_P_AFR\t\
                           MostSimilarPop\tMostSimilarPop_LowConfidence\tREFERENCE\tSuperPop\n"
            .to_owned();
        let mut sums = "sampleset\tFID\tIID\tPGS\tSUM\tDENOM\tAVG\n".to_owned();
        for (number, name) in names.iter().enumerate() {
            scores +=
                &format!("made\t{name}\t{name}\t{PGS}\t{number}.5\t0.1\t0.2\t0.{number}\t6{number}.25\n");
            similar += &format!(
                "made\t{name}\t{name}\t{number}\t1\t\t0.5\t0\tEUR\t{}\tFalse\t\n",
                ["False", "True"][number % 2]
            );
            sums += &format!("made\t{name}\t{name}\t{PGS}\t{number}.5\t150\t0\n");
        }
        // Sums of the panel: 0 to 39 for EUR, of which the last is related and far off; 100 to 139 for AFR.
        for (first, population) in [(0, "EUR"), (100, "AFR")] {
            for member in 0..40 {
                let sum = if member == 39 { 900 } else { first + member };
                let (name, unrelated) =
                    (format!("r{population}{member}"), if member == 39 { "False" } else { "True" });
                scores += &format!("reference\t{name}\t{name}\t{PGS}\t{sum}\t0\t0\t0\t50\n");
                similar += &format!(
                    "reference\t{name}\t{name}\t{}\t{member}\t{unrelated}\t1\t0\t{population}\t\
                     False\tTrue\t{population}\n",
                    first + member
                );
            }
        }
        made.write("made_pgs.txt", &scores);
        made.write("made_popsimilarity.txt", &similar);
        made.write("aggregated_scores.txt", &sums);
        let summary = "dataset,accession,score_pass,match_status,ambiguous,is_multiallelic,duplicate_best_match,\
                       duplicate_ID,match_flipped,match_IDs,count,percent\n";
        let rows = [
            ("matched,false,false,false,false,false,NA", 60),
            ("matched,false,false,false,false,true,NA", 10),
            ("excluded,true,false,false,false,false,NA", 5),
            ("unmatched,,,,,,", 2),
        ];
        let rows = rows.iter().map(|(row, count)| format!("made,{PGS},true,{row},{count},0\n"));
        made.write("made_summary.csv", &(summary.to_owned() + &rows.collect::<String>()));
        let parameters = "{\"parameters\": {\"imputation\": \"Plink2\", \
             \"matching\": {\"min_overlap\": 0.75, \"build\": \"GRCh38\"}}}";
        made.write("scores.run.json", parameters);
        made.write(
            "PGS000001_hmPOS_GRCh38.txt",
            "#pgs_id=PGS000001\n#pgs_name=PRS77_BC\n#trait_reported=Breast cancer\n#trait_mapped=breast carcinoma\n\
             #trait_efo=EFO_0000305\n#genome_build=NR\n#variants_number=77\n#weight_type=NR\n\
             #citation=Mavaddat N et al. J Natl Cancer Inst (2015). doi:10.1093/jnci/djv036\n\
             #HmPOS_build=GRCh38\nrsID\n",
        );
        // A rate of 0.01 and a mortality of 0.02 a year; without an effect, what the score says does not matter.
        let table =
            |rate: f64| format!("ages = [20]\nend = 60\nper = 1\nfemale = [{rate}]\nsource = \"made\"\n");
        made.write(
            "risk.toml",
            &format!(
                "[[risk]]\nscore = \"PGS000001\"\noutcome = \"breast cancer\"\neffect = \"odds ratio\"\n\
                 per_sd = 1\ninterval = [0.5, 2]\n\
                 to_age = 40\n[risk.incidence]\n{}[risk.mortality]\n{}",
                table(0.01),
                table(0.02)
            ),
        );
        made.write("people.tsv", "IID\tSEX\tAGE\nb\t2\t30\n");
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).expect("input");
    }

    /// Runs the report; what it says, and its exit code.
    fn run(&self, more: &[&str]) -> (i32, String) {
        let (directory, out) = (self.0.path().to_string_lossy(), self.at("out"));
        let words = ["prs", "report", &directory, "-d", "made", "-o", &out.to_string_lossy()];
        let output = norn(&[&words[..], more].concat());
        (output.status.code().expect("not killed"), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    fn json(&self) -> Json {
        serde_json::from_str(&text(&self.at("out/made_report.json"))).expect("JSON")
    }
}

fn close(value: &Json, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= 1e-9 * expected.abs())
}

#[test]
fn pages_and_documents_have_what_the_tables_have() {
    let made = Made::new(&["a", "b", "c", "d", "e"]);
    let [scores, risk, people] = ["PGS000001_hmPOS_GRCh38.txt", "risk.toml", "people.tsv"]
        .map(|name| made.at(name).to_string_lossy().into_owned());
    let more = ["--scores", &scores, "--risk", &risk, "--people", &people, "--person", "b", "c"];
    assert_eq!(made.run(&more), (0, String::new()));
    let json = made.json();
    let score = &json["scores"][0];
    // By hand: 70 of 77 rows; sums 0.5 to 4.5; EUR 0 to 38, whose variance is (39^2 - 1) / 12.
    assert_eq!((&score["matched"]["rows"], &score["matched"]["matched"]), (&77.into(), &70.into()));
    assert_eq!((&score["matched"]["flipped"], &score["matched"]["ambiguous"]), (&10.into(), &5.into()));
    assert!(close(&score["matched"]["share"], 70.0 / 77.0));
    assert!(close(&score["people"]["mean"], 2.5) && close(&score["people"]["deviation"], 2f64.sqrt()));
    let panel = &score["panel"]["EUR"];
    assert_eq!(panel["count"], 39);
    assert!(close(&panel["mean"], 19.0) && close(&panel["deviation"], (1520f64 / 12.0).sqrt()));
    assert_eq!((&json["most_similar"]["EUR"], &json["low_confidence"]), (&5.into(), &2.into()));
    assert_eq!(
        (&score["trait_efo"][0], &score["citation"].as_str().is_some()),
        (&"EFO_0000305".into(), &true)
    );
    // All 22 items of PRS-RS, in order, also in the table.
    let items = score["prs_rs"].as_array().expect("items");
    let numbers: Vec<u64> = items.iter().filter_map(|item| item["item"].as_u64()).collect();
    assert_eq!(numbers, (1..=22).collect::<Vec<u64>>());
    let status = |number: usize| items[number - 1]["status"].as_str().expect("status");
    assert_eq!(
        (status(2), status(3), status(6), status(15)),
        ("known", "unknown", "partly known", "unknown")
    );
    let table = text(&made.at("out/made_prs_rs.tsv"));
    assert_eq!(table.lines().count(), 23);
    assert!(table.contains(
        "\t10\tRisk model development\tPolygenic risk score construction and estimation\tpartly known\t"
    ));

    let person = &json["persons"][0];
    let values = &person["scores"][0];
    assert_eq!(
        (&person["person"], &person["low_confidence"], &person["age"]),
        (&"b".into(), &true.into(), &30.0.into())
    );
    assert_eq!((&values["sum"], &values["percentile_MostSimilarPop"]), (&1.5.into(), &61.25.into()));
    assert_eq!(
        (&values["Z_norm2"], &values["denominator"], &values["average"]),
        (&0.1.into(), &150.0.into(), &0.01.into())
    );
    // 0.01 / 0.03 * (1 - exp(-0.03 * 10)) from 30 to 40, and over 20 years for c, whose age is not told.
    let last = |person: usize| {
        json["persons"][person]["scores"][0]["risks"][0]["ages"]
            .as_array()
            .and_then(|ages| ages.last().cloned())
    };
    let (of_b, of_c) = (last(0).expect("ages"), last(1).expect("ages"));
    assert!(
        close(&of_b["risk"], (1.0 - (-0.3f64).exp()) / 3.0)
            && close(&of_b["average"], (1.0 - (-0.3f64).exp()) / 3.0)
    );
    assert!(close(&of_c["risk"], (1.0 - (-0.6f64).exp()) / 3.0));
    let (low, high) = (of_b["low"].as_f64().expect("low"), of_b["high"].as_f64().expect("high"));
    // Either end spreads the risks of all. Ratios of hazards r have mean exp(ln(2)^2 / 2) = 1.2715 and variance 0.998,
    // and where the baseline has come to 0.12, half way from 30 to 40, those still well have 1.2715 - 0.12 * 0.998 =
    // 1.152 about: the baseline is 0.01 / 1.152, and a ratio of 0.5 at z = 0.1 makes 0.00810 of it:
    // 0.00810 / 0.02810 * (1 - exp(-0.2810)) = 0.0706.
    assert!((low - 0.0706).abs() < 0.0015 && close(&of_b["risk"], high), "{low} {high}");
    let rows = text(&made.at("out/made_people.tsv"));
    let of_b = "\nb\tPGS000001_hmPOS_GRCh38\t1.5\t150\tEUR\ttrue\t61.25\t0.1\t0.2\t0.1\t\
                breast cancer\tfemale\t30\t40\t0.0863";
    assert!(rows.contains(of_b));

    for (name, parts) in [
        (
            "made_report.html",
            &["<bdi>made</bdi>", "90.91 %", "Breast cancer", "Ancestry", "id=\"distributions\""][..],
        ),
        (
            "made_b.html",
            &[
                "<bdi>b</bdi>",
                "like no population",
                "61.2",
                "8.64 %",
                "Pal Choudhury",
                "class=\"star c1\"",
                ">sum 1.5<",
            ],
        ),
        ("made_c.html", &["<bdi>c</bdi>", "not told", "15.04 %"]),
    ] {
        let page = text(&made.at("out").join(name));
        tags(&page).expect("well formed");
        assert_eq!(references(&page), [""; 0], "{name}");
        assert!(page.len() < 2_000_000, "{name}: {} bytes", page.len());
        assert!(page.matches("Not for clinical use without validation.").count() >= 2, "{name}");
        let ids: Vec<String> = tags(&page)
            .expect("well formed")
            .iter()
            .filter_map(|tag| tag.get("id").map(str::to_owned))
            .collect();
        for tag in tags(&page).expect("well formed") {
            let link = tag.get("href").and_then(|href| href.strip_prefix('#').map(str::to_owned));
            assert!(link.is_none_or(|link| ids.contains(&link)), "{tag:?}");
        }
        for part in parts {
            assert!(page.contains(part), "{name} lacks {part}");
        }
        if let Some((said, _)) = browse(&made.at("out").join(name)) {
            assert_eq!(said, [""; 0], "{name}");
        }
    }
    // The same bytes again.
    let first = fs::read(made.at("out/made_b.html")).expect("page");
    assert_eq!(made.run(&more).0, 0);
    assert_eq!(fs::read(made.at("out/made_b.html")).expect("page"), first);
}

#[test]
fn what_is_not_there_is_said() {
    let made = Made::new(&["a", "b"]);
    for name in ["made_pgs.txt", "made_popsimilarity.txt", "made_summary.csv", "scores.run.json"] {
        fs::remove_file(made.at(name)).expect("removed");
    }
    assert_eq!(made.run(&["--person", "a"]), (0, String::new()));
    let page = text(&made.at("out/made_a.html"));
    tags(&page).expect("well formed");
    for part in ["There is nobody to compare with", "There is no reference panel", "unknown", "not told"] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("id=\"risk\"") && !page.contains("id=\"ancestry\""));
    let json = made.json();
    assert_eq!((&json["scores"][0]["matched"], &json["scores"][0]["citation"]), (&Json::Null, &Json::Null));
    let items = json["scores"][0]["prs_rs"].as_array().expect("items");
    let unknown = items.iter().filter(|item| item["status"] == "unknown").count();
    assert!(unknown >= 10, "{unknown}");
}

#[test]
fn names_are_text_and_lead_nowhere() {
    let evil = "../<script>alert(1)<!--\"'&amp;";
    let made = Made::new(&["a", evil]);
    // Who is named twice has one page.
    assert_eq!(made.run(&["--person", evil, "--person", evil]), (0, String::new()));
    let names: Vec<String> = fs::read_dir(made.at("out"))
        .expect("directory")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".html"))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let name = names.iter().find(|name| name.contains("script")).expect("the person's page");
    let page = text(&made.at("out").join(name));
    assert_eq!(tags(&page).expect("well formed").iter().filter(|tag| tag.name == "script").count(), 1);
    assert_eq!(references(&page.replace("../", "")), [""; 0]);
}

#[test]
fn what_cannot_be_reported_is_told_in_a_line() {
    let made = Made::new(&["a", "b", "a"]);
    made.write("odd.toml", "[[risk]]\nscore = 5\n");
    made.write("people.tsv", "IID\tSEX\tAGE\nb\t2\tx\n");
    made.write("none.tsv", "IID\tx\nb\t2\n");
    let [odd, people, none] =
        ["odd.toml", "people.tsv", "none.tsv"].map(|name| made.at(name).to_string_lossy().into_owned());
    for (more, message) in [
        (&["--person", "nobody"][..], "there is not one person nobody in made"),
        (&["--pgs", "PGS7"], "there is no score PGS7 of made"),
        (&["--risk", &odd], "odd.toml: TOML parse error"),
        (&["--people", &people, "--person", "b"], "people.tsv, line 2: \"x\" is no number"),
        (&["--people", &none, "--person", "b"], "none.tsv: there is no column SEX"),
        (&["--scores", "no.txt"], "no.txt"),
    ] {
        let (code, told) = made.run(more);
        assert!(code == 3 && told.contains(message) && told.lines().count() == 1, "{message}: {code} {told}");
        assert!(!made.at("out").exists());
    }
    let cut = text(&made.at("made_pgs.txt"));
    made.write("made_pgs.txt", &cut[..cut.len() - 9]);
    let (code, told) = made.run(&[]);
    assert!(code == 3 && told.contains("made_pgs.txt, line 84: it has 6 columns, not 9"), "{told}");
    let output = norn(&["prs", "report", "no/such", "-d", "x", "-o", "out"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(!Path::new("out").exists());
}

#[test]
fn a_real_panel_is_reported() {
    let Some(data) = shared_data().map(|data| data.join("prs")) else {
        eprintln!("skipped: the panel of pgscatalog-utils (no NORN_SHARED_DATA)");
        return;
    };
    let directory = tempfile::tempdir().expect("directory");
    let out = directory.path().join("out");
    fs::copy(data.join("aggregated_scores.txt"), directory.path().join("aggregated_scores.txt"))
        .expect("scores");
    let [calibrated, sums, out_name] =
        [&data.join("calibrated"), directory.path(), &out].map(|path| path.to_string_lossy().into_owned());
    norn_ok(&["prs", "report", &calibrated, &sums, "-d", "hgdp", "--person", "HGDP00001", "-o", &out_name]);
    let json: Json = serde_json::from_str(&text(&out.join("hgdp_report.json"))).expect("JSON");
    // The first line of their table.
    let values = &json["persons"][0]["scores"][0];
    assert!(close(&values["sum"], 3.325_961_85) && close(&values["Z_norm2"], 0.632_542_524_180_261_7));
    assert!(
        close(&values["percentile_MostSimilarPop"], 65.166_340_508_806_26)
            && values["denominator"] == 93556.0
    );
    assert_eq!((&json["people"], &json["persons"][0]["most_similar"]), (&929.into(), &"SAS".into()));
    for name in ["hgdp_report.html", "hgdp_HGDP00001.html"] {
        let page = text(&out.join(name));
        tags(&page).expect("well formed");
        assert!(references(&page).is_empty() && page.len() < 200_000);
    }
}
