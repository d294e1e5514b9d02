process NORN_VARIANTSRUN {
    tag "${meta.id}"
    label 'process_low'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(vcf), path(index)
    tuple val(meta2), path(fasta), path(fai)
    path chain

    output:
    tuple val(meta), path("*.ready.vcf.gz"), emit: vcf
    tuple val(meta), path("*.ready.vcf.gz.csi"), emit: index
    tuple val(meta), path("*.ledger.{tsv,json}"), emit: ledger
    tuple val(meta), path("*.run.json"), emit: run
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    norn variants run \\
        --quiet \\
        --threads ${task.cpus} \\
        --fasta-ref ${fasta} \\
        ${args} \\
        --write-index \\
        --output-type z \\
        --output ${prefix}.ready.vcf.gz \\
        ${chain} \\
        ${vcf}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    echo '' | gzip > ${prefix}.ready.vcf.gz
    touch ${prefix}.ready.vcf.gz.csi ${prefix}.ready.vcf.gz.run.json
    touch ${prefix}.ready.vcf.gz.ledger.tsv ${prefix}.ready.vcf.gz.ledger.json
    """
}
