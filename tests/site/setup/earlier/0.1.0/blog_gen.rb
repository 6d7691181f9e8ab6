# frozen_string_literal: true

# Writes the posts that are due before Jekyll reads the site, by calling `blog-gen run`.
#
# It acts once in a process, so neither `--watch` nor `serve` runs it again; it never trains, never runs
# longer than its time box, and whatever goes wrong costs a warning, never the build. Under
# `blog_gen: plugin:` in _config.yml:
#
#   train: true    # also train when the articles changed (minutes; better: a nightly `blog-gen run`)
#   serve: true    # also act under `jekyll serve`
#   seconds: 120   # the time box
#   command: blog-gen
#
# BLOG_GEN=off in the environment turns it off.

require "fileutils"
require "open3"

module BlogGen
  module_function

  def run(site)
    settings = site.config.dig("blog_gen", "plugin") || {}
    return if ENV["BLOG_GEN"] == "off"
    return if site.config["serving"] && !settings["serve"]

    # The watcher leaves an excluded folder alone only if it is there when the watcher starts.
    FileUtils.mkdir_p(File.join(site.source, ".blog_gen"))
    report(*call(command(site, settings), site.source, settings["seconds"] || 120))
  rescue StandardError => e
    reason = e.is_a?(Errno::ENOENT) ? "the command is not installed: #{e.message}" : e.message
    Jekyll.logger.warn "blog-gen:", "#{reason}. The site is built without."
  end

  def command(site, settings)
    files = Array(site.config["config"]).map { |file| File.expand_path(file) }
    words = [settings["command"] || "blog-gen"]
    words.push("--config", files.join(",")) unless files.empty?
    words.push("run", "--quiet")
    words << "--no-train" unless settings["train"]
    words
  end

  # Runs the words, no shell, in a process group of its own; its output and status.
  def call(words, folder, seconds)
    Open3.popen2e({ "BLOG_GEN" => "off" }, *words, :chdir => folder, :pgroup => true) do |input, output, process|
      input.close
      text = Thread.new { output.read }
      unless process.join(seconds)
        text.kill
        stop(process)
        raise "it took longer than #{seconds} seconds"
      end
      return text.value, process.value
    end
  end

  def stop(process)
    Process.kill("TERM", -process.pid)
    Process.kill("KILL", -process.pid) unless process.join(10)
  end

  def report(text, status)
    lines = text.force_encoding(Encoding::UTF_8).scrub.lines.map(&:strip).reject(&:empty?)
    raise lines.last&.delete_prefix("blog-gen: ") || "it failed (#{status})" unless status.success?

    lines.each { |line| Jekyll.logger.info "blog-gen:", line }
  end
end

Jekyll::Hooks.register :site, :after_init do |site|
  BlogGen.run(site)
end
