process NORN_ANNOTATE {
    tag "${meta.id}"
    label 'process_medium'

    conda "${moduleDir}/environment.yml"
    container 'norn:0.1.0'

    input:
    tuple val(meta), path(vcf), path(index)
    tuple val(meta2), path(fasta), path(fai)
    path genes
    path sources

    output:
    tuple val(meta), path("*.annotated.vcf.gz"), emit: vcf
    tuple val(meta), path("*.annotated.vcf.gz.csi"), emit: index
    tuple val(meta), path("*_summary.{txt,tsv,json,html}"), optional: true, emit: summary
    tuple val(meta), path("*.run.json"), emit: run
    tuple val("${task.process}"), val('norn'), eval("norn --version | sed 's/norn //'"), topic: versions, emit: versions_norn

    when:
    task.ext.when == null || task.ext.when

    script:
    def args = task.ext.args ?: ''
    def prefix = task.ext.prefix ?: "${meta.id}"
    def sources_arg = [sources].flatten().collect { source -> "--source ${source}" }.join(' ')
    """
    norn annotate \\
        --quiet \\
        --threads ${task.cpus} \\
        --reference ${fasta} \\
        --genes ${genes} \\
        ${sources_arg} \\
        ${args} \\
        --write-index \\
        --output-type z \\
        --output ${prefix}.annotated.vcf.gz \\
        ${vcf}
    """

    stub:
    def prefix = task.ext.prefix ?: "${meta.id}"
    """
    echo '' | gzip > ${prefix}.annotated.vcf.gz
    touch ${prefix}.annotated.vcf.gz.csi ${prefix}.annotated.vcf.gz.run.json ${prefix}.annotated.vcf.gz_summary.txt
    """
}
