// Apache's side of tests/regex_oracle.rs. First line of standard input: names of topics. Then one
// expression a line, as hex of UTF-8; one answer a line: `-` where RE2/J, with which Apache Kafka
// compiles it, refuses it, else the places of the names that it matches, as Apache Kafka has it match.

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.StringJoiner;

public class Regexes {
    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        String[] names = in.readLine().split(" ");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            var bytes = HexFormat.of().parseHex(line);
            out.println(answer(new String(bytes, StandardCharsets.UTF_8), names));
        }
        out.flush();
    }

    static String answer(String regex, String[] names) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(regex);
        } catch (PatternSyntaxException error) {
            return "-";
        }
        var places = new StringJoiner(",", "ok ", "");
        for (int place = 0; place < names.length; place++) {
            if (pattern.matcher(names[place]).matches()) {
                places.add(Integer.toString(place));
            }
        }
        return places.toString();
    }
}
