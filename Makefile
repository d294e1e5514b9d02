# norn: `make demo` shows it at work, `make test` runs every test. Both install what they need as root on Debian 12.
.PHONY: demo test lint fuzz bench testdata

demo:
	.ci/setup.sh demo
	cargo build --release
	mkdir -p target/demo
	for sample in child father mother; do \
	  target/release/norn variants view -s $$sample -o target/demo/$$sample.vcf.gz testdata/trio.truth.vcf.gz || exit; done
	target/release/norn batch run -c examples/demo/batch.toml -s examples/demo/samples.tsv -o target/demo/night
	target/release/norn batch status -o target/demo/night --by-sample
	target/release/norn batch report -o target/demo/night
	@echo "The results are in target/demo/night/samples; all figures of a sample in one file: child/qc/child.qc.json"
	@echo "The page to look at: file://$(CURDIR)/target/demo/night/report/index.html"

test:
	.ci/setup.sh test
	cargo fmt --check
	cargo clippy --profile quick --all-targets -- -D warnings
	cargo test --profile quick
	NORN_MPI=1 cargo test --profile quick --features mpi --test communicator --test parts --test ranks --test batch --test slurm

lint:
	cargo fmt --check
	cargo clippy --release --all-targets --all-features -- -D warnings

# Each fuzz target for FUZZ_SECONDS (60), with the address sanitizer.
fuzz:
	fuzz/run.sh

bench:
	cargo build --release
	benches/compare.sh
	cargo bench --bench kernels --bench variants

testdata:
	testdata/make-testdata.py
	testdata/make-panel.py
