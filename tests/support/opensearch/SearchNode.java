import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * One OpenSearch node out of its jars, on loopback, until it is told to end.
 *
 * java -cp 'jars/*' SearchNode.java HOME HTTP_PORT CLUSTER_NAME
 *
 * The modules are handed over as classes: on the class path there is no modules folder to find them in.
 */
public class SearchNode {
    private static class NodeFromJars extends Node {
        NodeFromJars(Environment environment) {
            super(environment, List.of(Netty4Plugin.class, CommonAnalysisPlugin.class, ReindexPlugin.class), false);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Settings settings = Settings.builder()
            .put("path.home", arguments[0])
            .put("http.port", arguments[1])
            .put("cluster.name", arguments[2])
            .put("node.name", "node")
            .put("network.host", "127.0.0.1")
            .put("transport.port", "0")
            .put("discovery.type", "single-node")
            .put("transport.type", "netty4")
            .put("http.type", "netty4")
            // A full disk of the machine that runs the tests must not make indexes read-only.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
        Path config = Path.of(arguments[0], "config");
        Node node = new NodeFromJars(
            InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), config, () -> "node"));
        CountDownLatch ended = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception failure) {
                failure.printStackTrace();
            }
            ended.countDown();
        }));
        node.start();
        ended.await();
    }
}
