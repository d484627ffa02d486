import KubeTypes
import Testing

/// The pods and refusals of a text.
func read(_ text: String) -> [Result<ParsedPod, ManifestError>] {
    PodDocument.read(Array(text.utf8), file: "web.yaml")
}

/// The one pod of a text.
func pod(_ text: String) throws -> ParsedPod {
    let results = read(text)
    try #require(results.count == 1)
    return try results[0].get()
}

/// What is said about the first document that is refused.
func refusal(_ text: String) -> [String] {
    for case .failure(let error) in read(text) { return error.description.split(separator: "\n").map(String.init) }
    return []
}

/// A pod with one container, and more lines in its spec and container.
func manifest(spec: String = "", container: String = "") -> String {
    func indented(_ text: String, _ spaces: Int) -> String {
        text.split(separator: "\n").map { String(repeating: " ", count: spaces) + $0 + "\n" }.joined()
    }
    return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n" + indented(spec, 2)
        + "  containers:\n  - name: main\n    image: localhost/web:1\n" + indented(container, 4)
}
